"""Which sessions one machine runs so that every Python and every Postgres on it is used."""

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


def test_each_other_python_and_each_other_major_comes_once() -> None:
    """Two more Pythons and one more major take two sessions, not six."""
    chosen = choose(ROWS, {"3.11", "3.12", "3.13"}, {15, 18}, ("3.11", 18))
    assert chosen == ["3.12/15", "3.13/18"]


def test_more_majors_than_pythons_are_run_on_the_usual_python() -> None:
    """A major without a Python of its own is run on today's."""
    assert choose(ROWS, {"3.11"}, {15, 16, 18}, ("3.11", 18)) == ["3.11/15", "3.11/16"]


def test_what_no_session_offers_is_left_out() -> None:
    """A Python or a Postgres that the project does not promise is not run."""
    assert choose(ROWS, {"3.11", "3.10"}, {14, 18}, ("3.11", 18)) == []


def test_what_needs_no_major_is_run_on_the_oldest_and_the_newest_python() -> None:
    """Tests of the template do not depend on Postgres: two of four Pythons are enough, once where there is one."""
    rows = [{"session": f"template-3.{each}", "python": f"3.{each}", "call_spec": {}} for each in range(9, 15)]
    assert choose(rows, {"3.9", "3.10", "3.13"}, {18}, ("3.10", 18)) == ["template-3.9", "template-3.13"]
    assert choose(rows, {"3.12"}, {18}, ("3.12", 18)) == ["template-3.12"]
    assert choose([{"session": "lowest", "python": "3.11", "call_spec": {}}], {"3.11"}, {18}, ("3.11", 18)) == []


@pytest.mark.parametrize("text", ["", "sessions:", "1", "[1]", '[{"session": "lint"}]'])
def test_what_is_no_listing_is_refused(text: str) -> None:
    """Without nox's output there is nothing to choose from, and the error says how to get it."""
    with pytest.raises(HarnessError, match="nox --list --json"):
        read_rows(io.StringIO(text))
