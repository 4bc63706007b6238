"""The list of sessions that `-l` prints, and the suggestion for a session that does not exist."""

from __future__ import annotations

import argparse
import difflib
import signal
import sys
from collections.abc import Mapping
from typing import Any

Sessions = Mapping[str, Any]
"""nox's registry: functions that have `python`, `default` and, where they have parameters, `parametrize`."""

EVERYDAY = ("dev", "env", "report", "revision")
"""The sessions that are listed first, before those of the default run."""


def purpose(session: Any) -> str:
    """Return the first line of a session's docstring."""
    return (session.__doc__ or "").partition("\n")[0]


def runs(name: str, session: Any) -> list[str]:
    """Return what selects each run of a session: `suites-3.11(pg=15)` and so on."""
    names = [f"{name}-{python}" for python in session.python] if isinstance(session.python, list) else [name]
    return [f"{each}({values})" for each in names for values in getattr(session, "parametrize", ())] or names


def overview(sessions: Sessions) -> str:
    """Return the list of sessions: what is used every day, the others, and the sessions of each Python as one line."""
    matrix: dict[str, list[str]] = {}
    for each in (each for name, session in sessions.items() for each in runs(name, session) if "-3." in each):
        matrix.setdefault(each.partition("-3.")[0], []).append(each)
    single = [name for name in sessions if name.partition("-3.")[0] not in matrix]
    first = [*EVERYDAY, *(name for name in single if sessions[name].default)]
    lines = [
        f"{'*' if sessions[name].default else ' '} {name:<12}{purpose(sessions[name])}" if name else ""
        for name in (*first, "", *(name for name in single if name not in first), "")
    ]
    versions = ", ".join(f"{each[0]} … {each[-1]}" for each in matrix.values())
    heading = "python3 run.py NAME runs one of these; without a name, those with *:"
    return "\n".join([heading, "", *lines, f"for each Python and PostgreSQL: {versions}"])


def mistake(sessions: Sessions, names: list[str], words: list[str]) -> str:
    """Return what is wrong with the sessions that were asked for and the words after `--`; "" if nothing is."""
    known = [*sessions, *(each.partition("(")[0] for item in sessions.items() for each in runs(*item))]
    for name in names:
        if (session := name.partition("(")[0]) not in known:
            near = difflib.get_close_matches(session, known, n=1)
            return f"there is no session {name!r}" + (f": did you mean {near[0]!r}?" if near else "")
    takes_any = any(": -- " in purpose(sessions[name]) for name in names if name in sessions)
    if len(names) == 1 and words and words[0] in sessions and not takes_any:
        return f"{words[0]!r} is a session too: for both, python3 run.py -s {names[0]} {words[0]}"
    return ""


def answer(sessions: Sessions, arguments: list[str]) -> None:
    """Print the list of sessions if it was asked for, and exit with 2 for a session that does not exist."""
    divider = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-l", "--list", "--list-sessions", action="store_true")
    parser.add_argument("-s", "-e", "--session", "--sessions", nargs="*", default=[])
    parser.add_argument("-f", "--noxfile")
    typed, others = parser.parse_known_args(arguments[:divider])
    if problem := mistake(sessions, typed.session, arguments[divider + 1 :]):
        sys.stderr.write(f"run.py: {problem}\n  python3 run.py -l lists all sessions\n")
        sys.exit(2)
    if typed.list:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` may leave first
    if typed.list and not typed.session and not others:  # other lists are nox's, such as --json
        print(overview(sessions))
        sys.exit()
