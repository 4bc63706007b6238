"""Each rule for files finds its violating examples by name, and accepts its clean ones."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.examples import Example, examples_of
from harness.findings import Exemption
from harness.migrations.files.source import renders_offline
from harness.migrations.verdict import file_findings
from harness.rules import catalogue

HEAD = 'import sqlalchemy as sa\nfrom alembic import context, op\n\nrevision = "0007"\n'


def cases(*, breaks: bool) -> list[object]:
    """All examples of one kind."""
    rules = [check.id for check in catalogue("migrations", "file")]
    return [pytest.param(item, id=item.id) for item in examples_of(*rules, breaks=breaks)]


def write(folder: Path, code: str) -> Path:
    """A revision file; code without a function becomes the body of upgrade()."""
    if "\ndef " not in f"\n{code}":
        code = "def upgrade():\n" + textwrap.indent(code, "    ")
    path = folder / "0007_example.py"
    path.write_text(HEAD + code, encoding="utf-8")
    return path


def found(path: Path) -> set[tuple[str, str]]:
    """Rule and object of every finding."""
    return {(item.rule.id, item.object) for item in file_findings(path, "shop", offline=True)}


@pytest.mark.parametrize("example", cases(breaks=True))
def test_a_violation_is_found_and_named(example: Example, tmp_path: Path) -> None:
    """The rule finds exactly one object, under the name that an exemption has to give."""
    assert {place for name, place in found(write(tmp_path, example.code)) if name == example.rule} == {
        example.fields["object"]
    }


@pytest.mark.parametrize("example", cases(breaks=False))
def test_what_only_looks_like_a_violation_is_left_alone(example: Example, tmp_path: Path) -> None:
    """A rule that flags a safe revision is as wrong as one that misses a bad one."""
    assert example.rule not in {name for name, _ in found(write(tmp_path, example.code))}


@pytest.mark.parametrize("example", cases(breaks=True))
def test_every_finding_can_be_exempted(example: Example, tmp_path: Path) -> None:
    """Objects hold no wildcard, so that an exemption can name each of them, and carry their revision."""
    for finding in file_findings(write(tmp_path, example.code), "shop", offline=True):
        assert Exemption(finding.rule.id, finding.object, "a reason of twenty characters").object == finding.object


def test_rendering_is_judged_only_where_it_is_offered(tmp_path: Path) -> None:
    """A project whose env.py refuses --sql hears nothing about it."""
    example = examples_of("offline-unsafe", breaks=True)[0].code
    assert not [item for item in file_findings(write(tmp_path, example), "shop") if item.rule.id == "offline-unsafe"]


@pytest.mark.parametrize(
    ("call", "offers"),
    [
        ("context.configure(url=url, literal_binds=True)", True),
        ("context.configure(dialect_name='postgresql')", True),
        ("context.configure(connection=connection)", False),
        ("raise SystemExit('--sql is not supported')", False),
    ],
)
def test_an_env_that_offers_sql_is_recognised(call: str, offers: bool, tmp_path: Path) -> None:
    """What offline mode needs is a url or the name of a dialect."""
    env = tmp_path / "env.py"
    env.write_text(f"def run():\n    context.configure(connection=one)\ndef offline():\n    {call}\n", encoding="utf-8")
    assert renders_offline(env) is offers


def test_an_object_is_named_once_with_what_happened_to_it(tmp_path: Path) -> None:
    """Two drops of one table are one finding, and it says that the table is gone, not that it exists."""
    lines = ['op.execute("DROP TABLE t")'] * 2 + ['op.create_index_concurrently("ix_u_a", "u", ["a"])']
    (finding,) = file_findings(write(tmp_path, "\n".join(lines)), "shop")
    assert (finding.rule.id, finding.object) == ("not-robust", "upgrade.t")
    assert finding.message.endswith("DROP of t in upgrade() fails when the revision is run again: it is gone already")
    assert finding.line == 6
    assert "already exists" not in str(finding)


def test_a_statement_is_quoted_as_it_was_written(tmp_path: Path) -> None:
    """Nobody finds in a file what a rule has put into upper case."""
    line = "op.execute(\"alter type  Mood add value 'b'; update t set a = 1, a = 2\")"
    quoted = {item.rule.id: item.statement for item in file_findings(write(tmp_path, line), "shop")}
    assert quoted["enum-value-ordering"] == "alter type  Mood add value 'b'"
    assert quoted["duplicate-column-assignment"] == "update t set a = 1, a = 2"


def test_a_revision_that_is_no_python_is_named_with_its_line(tmp_path: Path) -> None:
    """The error is one for people: which file, which line, and no traceback of the parser."""
    path = tmp_path / "0007_broken.py"
    path.write_text("def upgrade(:\n", encoding="utf-8")
    with pytest.raises(HarnessError, match=r"0007_broken.py is not valid Python: .*line 1"):
        file_findings(path, "shop")
