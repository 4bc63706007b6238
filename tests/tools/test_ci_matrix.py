"""The rows of CI that one machine runs, so that each of its Python and PostgreSQL versions is used."""

from __future__ import annotations

import io
from typing import Any

import pytest

from harness.errors import HarnessError
from tools.ci_matrix import choose, read_rows

ROWS: list[dict[str, Any]] = [{"session": "lint", "python": None, "call_spec": {}}] + [
    {"session": f"{python}/{major}", "python": python, "call_spec": {"pg": major}}
    for python in ("3.11", "3.12", "3.13", "3.14")
    for major in (15, 16, 17, 18)
]


def test_each_other_python_and_major_runs_once() -> None:
    """Two more Pythons and one more major take two sessions, not six."""
    chosen = choose(ROWS, {"3.11", "3.12", "3.13"}, {15, 18}, ("3.11", 18))
    assert chosen == ["3.12/15", "3.13/18"]


def test_further_majors_run_on_the_current_python() -> None:
    """If there are more majors than Pythons, the rest runs on the current Python."""
    assert choose(ROWS, {"3.11"}, {15, 16, 18}, ("3.11", 18)) == ["3.11/15", "3.11/16"]


def test_unsupported_versions_do_not_run() -> None:
    """A Python or PostgreSQL version that no row has is left out."""
    assert choose(ROWS, {"3.11", "3.10"}, {14, 18}, ("3.11", 18)) == []


def test_sessions_without_a_major_run_on_the_oldest_and_newest_python() -> None:
    """Tests of the template do not depend on PostgreSQL: two of four Pythons suffice, or the only one."""
    rows = [{"session": f"template-3.{each}", "python": f"3.{each}", "call_spec": {}} for each in range(9, 15)]
    assert choose(rows, {"3.9", "3.10", "3.13"}, {18}, ("3.10", 18)) == ["template-3.9", "template-3.13"]
    assert choose(rows, {"3.12"}, {18}, ("3.12", 18)) == ["template-3.12"]
    assert choose([{"session": "lowest", "python": "3.11", "call_spec": {}}], {"3.11"}, {18}, ("3.11", 18)) == []


@pytest.mark.parametrize("text", ["", "sessions:", "1", "[1]", '[{"session": "lint"}]'])
def test_other_input_is_rejected(text: str) -> None:
    """The error names the command whose output is expected."""
    with pytest.raises(HarnessError, match="nox --list --json"):
        read_rows(io.StringIO(text))
