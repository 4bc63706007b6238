"""`[tool.harness]` is read, and mistakes in it are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import Config, load_config, load_object
from harness.errors import HarnessError
from tests.harness.projects import ALEMBIC, harness_table

TABLE = harness_table()
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
    assert config.roles_path == tmp_path / "roles.sql"


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
        (
            TABLE + "postgers = 18\n",
            "the known keys: app, metadata, migrations, roles, role-prefix, database-env",
        ),
        (TABLE + '[tool.harness.databases.billing]\nmigrations = "b"\n', "[tool.harness] databases names several"),
        (TABLE.replace("[tool.harness]", "[[tool.harness]]"), "[[tool.harness]] names several databases"),
        (TABLE + ALEMBIC + 'databases = "a, b"\n', "[tool.alembic] databases names several databases"),
        (TABLE.replace('role-prefix = "shop"\n', ""), "lacks role-prefix"),
        (TABLE.replace("= 18\n", '= "18"\n'), "postgres = '18' is not a whole number"),
        (TABLE.replace("= 18\n", "= true\n"), "postgres = True is not a whole number"),
        (TABLE.replace('"roles.sql"', "1"), "roles = 1 is not a text in quotes"),
        (TABLE.replace("[15, 18]", "15"), "supported = 15 is not a list"),
        (TABLE.replace("[15, 18]", '["15"]'), "supported = ['15'] is not a list of majors"),
        (TABLE + 'strict = "yes"\n', "strict = 'yes' is not true or false"),
        (TABLE + "schema = []\n", "schema = [] is not a table"),
        (TABLE + "exemptions = [1]\n", "exemptions has an invalid entry: 1"),
        (TABLE + EXEMPTION + 'object = "b"\nreason = 1\n', "exemptions has an invalid entry: "),
        (
            TABLE + ALEMBIC.replace("migrations", "other"),
            "script_location = '%(here)s/other' name different directories",
        ),
        (TABLE + EXEMPTION + 'object = "b*"\nreason = "long enough to be one"\n', "wildcards"),
        (TABLE + EXEMPTION, "object"),
        ("[tool.harness\n", "is not valid TOML"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path: Path, text: str, says: str) -> None:
    """The error names the mistyped key and the file."""
    with pytest.raises(HarnessError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "pyproject.toml" in str(caught.value)


@pytest.mark.parametrize("written", ["%(here)s/migrations", "migrations", "./migrations/", "shop:migrations"])
def test_alembic_may_name_the_same_migrations(tmp_path: Path, written: str) -> None:
    """However it is written, one place is one place; where a package lies is Alembic's to know."""
    assert read(tmp_path, TABLE + ALEMBIC.replace("%(here)s/migrations", written)).role_prefix == "shop"


def test_migrations_are_looked_for_where_they_are_needed(tmp_path: Path) -> None:
    """For a path without env.py the error names the key."""
    config = read(tmp_path, TABLE)
    with pytest.raises(HarnessError, match=r"migrations = 'migrations': there is no .*/migrations/env\.py"):
        _ = config.migrations_path
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").touch()
    assert config.migrations_path == tmp_path / "migrations"


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    """Run from the wrong directory, the harness says which one is right."""
    with pytest.raises(HarnessError, match="run in the project's root"):
        load_config(tmp_path)


@pytest.mark.parametrize("path", ["nowhere.to.be:found", "pathlib:Nothing", "pathlib", ""])
def test_an_object_that_cannot_be_loaded_is_named(path: str) -> None:
    """A wrong `module:attribute` is shown as it was written."""
    with pytest.raises(HarnessError, match=f"names {path!r}"):
        load_object(path)
