"""The exemptions of a revision are read without running its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.findings import Exemption
from harness.migrations.files.exemptions import read_exemptions
from harness.migrations.verdict import file_findings

REASON = "unused since release 41, see PR 812"


def write(folder: Path, code: str) -> Path:
    """A revision file."""
    path = folder / "0007_drop_age.py"
    path.write_text(code, encoding="utf-8")
    return path


def test_exemptions_are_read_in_order_and_without_running_the_file(tmp_path: Path) -> None:
    """A key is rule:object, where the object may contain colons; a file that raises can still be judged."""
    code = f"""
exemptions: dict[str, str] = {{
    "drop-column:public.account.age": "{REASON}",
    "unreached-branch:upgrade.a[1:2]": "{REASON}",
}}
raise RuntimeError
"""
    assert read_exemptions(write(tmp_path, code)) == [
        Exemption("drop-column", "public.account.age", REASON),
        Exemption("unreached-branch", "upgrade.a[1:2]", REASON),
    ]


def test_the_old_name_is_read_and_noticed(tmp_path: Path) -> None:
    """A revision written before the variable was renamed keeps its exemptions; an info says what to rename."""
    path = write(tmp_path, f"hazards = {{'drop-column:public.account.age': '{REASON}'}}")
    assert read_exemptions(path) == [Exemption("drop-column", "public.account.age", REASON)]
    (notice,) = file_findings(path, "shop")
    assert (notice.rule.id, notice.severity) == ("hazards-renamed", "info")


@pytest.mark.parametrize("code", ["revision = '0007'", "def upgrade():\n    exemptions = 1", "exemptions = {}"])
def test_a_revision_that_states_none_has_no_exemptions(code: str, tmp_path: Path) -> None:
    """Only the module's own `exemptions` counts."""
    assert read_exemptions(write(tmp_path, code)) == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("exemptions = [1]", "is not a dictionary"),
        ("exemptions = dict(a=1)", "is not a dictionary"),
        ("exemptions = {'drop-column': 'x'}", "has the key 'drop-column', which is not rule:object"),
        (f"exemptions = {{'drop-column: ': '{REASON}'}}", "which is not rule:object"),
        ("exemptions = {NAME: 'x'}", "has a key that is not a string literal"),
        ("exemptions = {**OTHERS}", "has a key that is not a string literal"),
        ("exemptions = {'a:b': REASON}", "has no string literal as the reason of 'a:b'"),
        ("exemptions = {'a:b': 'too short'}", "is refused: .*too short"),
        (f"exemptions = {{'a:public.*': '{REASON}'}}", "is refused: .*wildcards are not allowed"),
        (f"exemptions = {{'a:b': '{REASON}', 'a: b': '{REASON}'}}", "names a:b twice"),
        ("exemptions = {}\nhazards = {}", "line 2: exemptions is assigned a second time"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_an_example(code: str, problem: str, tmp_path: Path) -> None:
    """The error names the place, what was found, and a correct example."""
    with pytest.raises(HarnessError, match=problem) as caught:
        read_exemptions(write(tmp_path, code))
    assert "0007_drop_age.py, line" in str(caught.value)
    assert 'exemptions = {"drop-column:public.account.age"' in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(HarnessError, match=r"0009_gone\.py cannot be read: No such file"):
        read_exemptions(tmp_path / "0009_gone.py")
