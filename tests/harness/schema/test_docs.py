"""docs/schema.md lists every rule and option, and its example works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness import rules
from harness.catalog import Snapshot, read_snapshot
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.rules import Breach, rule
from harness.schema.options import Options, chosen, read_options

TEXT = (Path(__file__).parents[3] / "docs" / "schema.md").read_text(encoding="utf-8")


def test_every_option_is_listed() -> None:
    """The table of options names exactly those that are read."""
    section = TEXT.partition("## Options")[2].partition("## The rules")[0]
    listed = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert listed == [field.name.replace("_", "-") for field in fields(Options)]


def test_the_rule_on_the_page_runs(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted from the docs, it becomes a rule and finds what it says."""
    monkeypatch.setattr(rules, "_CATALOGUE", dict(rules._CATALOGUE))
    [code] = [each for each in re.findall(r"```python\n(.+?)```", TEXT, re.DOTALL) if "@rule(" in each]
    assert len(code.splitlines()) <= 12
    exec(code, {})
    with empty_database.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id bigint PRIMARY KEY); CREATE TABLE item (id bigint PRIMARY KEY)")
        [own] = chosen(Options(), ["table-name-singular"])
        assert [finding.object for finding in own(read_snapshot(connection))] == ["public.orders"]


def test_two_rules_of_one_name_are_refused() -> None:
    """The second one would silently replace the first."""
    with pytest.raises(ValueError, match="index-invalid"):
        rule("index-invalid", "error", "again")(empty)


def empty(snapshot: Snapshot) -> Iterator[Breach]:
    """A check that finds nothing."""
    yield from ()


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"varchar": True}, "unknown key 'varchar'"),
        ({"varchar-allowed": "yes"}, "is not a true or false"),
        ({"money-words": "price"}, "is not a list of strings"),
    ],
)
def test_a_wrong_option_is_an_error(written: dict[str, object], says: str) -> None:
    """An unknown key or a value of another kind is no silent default."""
    with pytest.raises(HarnessError, match=says):
        read_options(written)


def test_optional_rules_run_only_when_named() -> None:
    """Off until `rules` names them; a name that no rule has is says with the nearest."""
    assert "table-isolated" not in {item.id for item in chosen(Options())}
    assert "table-isolated" in {item.id for item in chosen(read_options({"rules": ["table-isolated"]}))}
    with pytest.raises(HarnessError, match="table-isolated"):
        chosen(read_options({"rules": ["table-isolate"]}))
