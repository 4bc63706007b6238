"""What an app has logged during a test that failed: errors, and each traceback once in a run."""

from __future__ import annotations

import re
from collections.abc import Sequence

LOGS = ("Captured log", "Captured stderr")
"""The sections of a report with what an app logs; a logger that writes to stderr is in both."""

TROUBLE = ("ERROR", "CRITICAL", "Traceback")
"""What a log has that explains a failure."""

RECORD = re.compile(r"^(?=(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) +\S+:\S+:\d+ )", re.MULTILINE)
"""The start of a record, as pytest writes it by default."""

TRACEBACK = re.compile(r"(Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*)(.*)")
"""A traceback in a log: its frames, and the error."""

Sections = Sequence[tuple[str, str]]


def reduced(sections: Sections, text: str = "") -> list[tuple[str, str]]:
    """Return the sections of a report without logs that explain nothing, and with only the errors of those that do.

    Without a `text` that says all of the failure, the log of the test itself is kept. What is in the text is not
    repeated from the log, and what is in the log is not repeated from stderr.
    """
    names = {name for name, _ in sections}
    kept = []
    for name, content in sections:
        log = name.startswith(LOGS)
        trouble = any(word in content for word in TROUBLE)
        repeated = name.startswith("Captured stderr") and name.replace("stderr", "log") in names
        if not log or (not repeated and (trouble or (name.endswith("call") and not text))):
            kept.append((name, _errors(content, text) if log and trouble else content))
    return [(name, content) for name, content in kept if content]


def _errors(log: str, text: str) -> str:
    """Return the records of errors, each once; the whole log if it has no records of pytest's format.

    If the failure's text has the error of a traceback, all tracebacks with its frames are left out, and so are the
    records without one, such as the access log's.
    """
    records = [record for record in dict.fromkeys(RECORD.split(log)) if record.startswith(TROUBLE)]
    ends = {record: list(TRACEBACK.finditer(record))[-1:] for record in records}
    said = {end[1] for found in ends.values() for end in found if end[2] in text}
    if said:
        return "".join(record for record, found in ends.items() if found and found[0][1] not in said)
    return "".join(records) or log


class Tracebacks:
    """The tracebacks that the failures of a run have shown, and the tests that did."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], str] = {}

    def replace(self, sections: Sections, test: str) -> tuple[list[tuple[str, str]], list[str]]:
        """Return the sections without tracebacks that another test has shown, and the errors instead of these."""
        known: list[str] = []

        def once(found: re.Match[str]) -> str:
            first = self._shown.setdefault((found[1], found[2]), test)
            if first == test:
                return found[0]
            known.append(f"{found[2]} (its traceback is shown in {first})")
            return known[-1]

        made = [(name, TRACEBACK.sub(once, content)) for name, content in sections]
        return made, list(dict.fromkeys(known))
