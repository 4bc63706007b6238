"""The exemptions that a revision file states about itself are read without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.findings import Exemption
from harness.migrations.files.exemptions import read_exemptions

REASON = "unused since release 41, see PR 812"


def write(folder: Path, code: str) -> Path:
    """A revision file."""
    path = folder / "0007_drop_age.py"
    path.write_text(code, encoding="utf-8")
    return path


def test_hazards_are_read_in_order_and_without_running_the_file(tmp_path: Path) -> None:
    """A key is rule:object, where the object may hold colons of its own; a file that raises can still be judged."""
    code = f"""
hazards: dict[str, str] = {{
    "drop-column:public.account.age": "{REASON}",
    "unreached-branch:upgrade.a[1:2]": "{REASON}",
}}
raise RuntimeError
"""
    assert read_exemptions(write(tmp_path, code)) == [
        Exemption("drop-column", "public.account.age", REASON),
        Exemption("unreached-branch", "upgrade.a[1:2]", REASON),
    ]


@pytest.mark.parametrize("code", ["revision = '0007'", "def upgrade():\n    hazards = 1", "hazards = {}"])
def test_a_revision_without_hazards_has_no_exemptions(code: str, tmp_path: Path) -> None:
    """Only the module's own `hazards` counts."""
    assert read_exemptions(write(tmp_path, code)) == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("hazards = [1]", "is not a dictionary"),
        ("hazards = dict(a=1)", "is not a dictionary"),
        ("hazards = {'drop-column': 'x'}", "has the key 'drop-column', which is not rule:object"),
        (f"hazards = {{'drop-column: ': '{REASON}'}}", "which is not rule:object"),
        ("hazards = {NAME: 'x'}", "has a key that is not a string literal"),
        ("hazards = {**OTHERS}", "has a key that is not a string literal"),
        ("hazards = {'a:b': REASON}", "has no string literal as the reason of 'a:b'"),
        ("hazards = {'a:b': 'too short'}", "is refused: .*too short"),
        (f"hazards = {{'a:public.*': '{REASON}'}}", "is refused: .*wildcards are not taken"),
        (f"hazards = {{'a:b': '{REASON}', 'a: b': '{REASON}'}}", "names a:b twice"),
        ("hazards = {}\nhazards = {}", "line 2: hazards is assigned a second time"),
    ],
)
def test_a_mistake_is_named_with_file_line_and_an_example(code: str, problem: str, tmp_path: Path) -> None:
    """Whoever mistypes an exemption is told where, what was found, and how it is written."""
    with pytest.raises(HarnessError, match=problem) as caught:
        read_exemptions(write(tmp_path, code))
    assert "0007_drop_age.py, line" in str(caught.value)
    assert 'hazards = {"drop-column:public.account.age"' in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path is in the message."""
    with pytest.raises(HarnessError, match=r"0009_gone\.py cannot be read: No such file"):
        read_exemptions(tmp_path / "0009_gone.py")
