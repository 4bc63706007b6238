"""`[tool.harness]`, and what a mistake in it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Config, HarnessError, load_config, load_object

TABLE = """
[tool.harness]
app = "shop.main:create_app"
settings = "shop.settings:Settings"
metadata = "shop.db:metadata"
migrations = "migrations"
roles = "roles.sql"
role-prefix = "shop"
database-env = "APP_DATABASE_URL"
postgres = 18
supported = [15, 18]
"""
EXEMPTION = '[[tool.harness.exemptions]]\nrule = "a"\n'


def read(path: Path, text: str) -> Config:
    """The configuration that `text` gives."""
    (path / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_config(path)


def test_a_full_table_is_read(tmp_path: Path) -> None:
    """Names with hyphens become fields, and paths hang below the project's root."""
    config = read(tmp_path, TABLE)
    assert config.role_prefix == "shop"
    assert config.supported == (15, 18)
    assert config.migrations_path == tmp_path / "migrations"


def test_exemptions_are_read_with_their_reasons(tmp_path: Path) -> None:
    """An exemption of the table is the same value that the suites judge with."""
    item = EXEMPTION + 'object = "b.c"\nreason = "because the importer needs it"\n'
    (exemption,) = read(tmp_path, TABLE + item).exemptions
    assert (exemption.rule, exemption.object) == ("a", "b.c")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.other]\n", "has no [tool.harness] table"),
        (TABLE + "postgers = 18\n", "unknown key 'postgers'"),
        (TABLE.replace('roles = "roles.sql"\n', ""), "lacks roles"),
        (TABLE + EXEMPTION + 'object = "b*"\nreason = "long enough to be one"\n', "wildcards"),
        (TABLE + EXEMPTION, "object"),
        ("[tool.harness\n", "is not valid TOML"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path: Path, text: str, says: str) -> None:
    """Whoever mistypes a key reads which one, and in which file."""
    with pytest.raises(HarnessError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "pyproject.toml" in str(caught.value)


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    """Run from the wrong directory, the harness says which one is right."""
    with pytest.raises(HarnessError, match="run from the project's root"):
        load_config(tmp_path)


@pytest.mark.parametrize("path", ["nowhere.to.be:found", "pathlib:Nothing", "pathlib"])
def test_an_object_that_cannot_be_loaded_is_named(path: str) -> None:
    """A wrong `module:attribute` is shown as it was written."""
    with pytest.raises(HarnessError, match=path):
        load_object(path)
