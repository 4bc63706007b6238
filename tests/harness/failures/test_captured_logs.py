"""What is shown of the app's log with a failure."""

from __future__ import annotations

from harness.failures.captured_logs import Tracebacks, reduced

FRAMES = 'Traceback (most recent call last):\n  File "shop/db.py", line 3, in execute\n    return super().execute()\n'
ACCESS = "ERROR    shop.access:logs.py:38 POST /books 500\n"
FAILED = "ERROR    harness.api.in_flight:in_flight.py:100 the app failed on POST /books\n"
TAKEN = "UniqueViolation: duplicate key value violates unique constraint"
LOG = "Captured log call"


def test_an_error_that_the_failure_names_is_not_repeated_from_the_log() -> None:
    """Nor are others with its frames, and records that say no more than the status; another error is."""
    other = FAILED + FRAMES.replace("db.py", "api.py") + "KeyError: 'x'\n"
    same = FAILED + FRAMES + "UniqueViolation: another key\n"
    text = f"POST /books answered 500\n  {TAKEN}"
    log = ACCESS + FAILED + FRAMES + TAKEN + "\n" + same
    assert reduced([(LOG, log)], text) == []
    assert reduced([(LOG, log + other)], text) == [(LOG, other)]


def test_a_log_is_kept_if_the_failure_does_not_name_its_error() -> None:
    """The errors of a test that fails with another text, and all of one that fails with a traceback."""
    log = FAILED + FRAMES + TAKEN + "\n"
    assert reduced([(LOG, ACCESS + log)], "another text") == [(LOG, ACCESS + log)]
    assert reduced([(LOG, "INFO     app:logs.py:1 answered\n")]) == [(LOG, "INFO     app:logs.py:1 answered\n")]
    assert reduced([(LOG, "INFO     app:logs.py:1 answered\n")], "a text") == []


def test_only_the_same_error_refers_to_an_earlier_traceback() -> None:
    """All statements of a project pass through the same cursor: the frames alone do not tell errors apart."""
    shown = Tracebacks()
    first = [(LOG, f"{FRAMES}ForeignKeyViolation: no author\n")]
    assert shown.replace(first, "test_a") == (first, [])
    other = [(LOG, f"{FRAMES}{TAKEN}\n")]
    assert shown.replace(other, "test_b") == (other, [])
    known = "ForeignKeyViolation: no author (its traceback is shown in test_a)"
    assert shown.replace(first, "test_c") == ([(LOG, f"{known}\n")], [known])
