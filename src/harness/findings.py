"""The words that every suite shares: Rule, Finding, Exemption, and the Verdict that they add up to."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "info"]

SHORTEST_REASON = 20
"""Characters below which an exemption's reason is taken for no reason at all."""

WILDCARDS = "*%?"
"""Signs that the object of an exemption may not contain."""

LONGEST_STATEMENT = 400
"""Characters of a statement that are printed."""

REASON = "…"
"""Where an exemption that is printed to be pasted leaves room for the reason."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise that a suite keeps; `harness.rules.rule` makes it.

    `id` is kebab-case and is used in output, exemptions and docs. `why` says what happens in production when the rule
    is broken; `fix` says in a sentence how to keep it. An `optional` rule runs only where the configuration names it.
    `needs` says what the rule is judged on, such as a `trace` or the `catalogue`. `exempt` is false where no reason can
    make a finding acceptable, because something does not work at all.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    optional: bool = False
    suite: str = ""
    needs: str = ""
    exempt: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that breaks a rule.

    `object` names the place exactly as an exemption must (`schema.table.column`, `drop-column` objects of a revision,
    `GET /v1/todos`). `message` carries the values that were seen, `fix` is code that can be pasted. `revision` and
    `statement` are set where a migration or a query is judged. `level` overrides the rule's severity. `file`, relative
    to the project's root, and `line` are set where they are known.
    """

    rule: Rule
    object: str
    message: str
    fix: str = ""
    revision: str | None = None
    statement: str | None = None
    level: Severity | None = None
    file: str | None = None
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """The finding's own level where it has one, else its rule's."""
        return self.level or self.rule.severity

    @property
    def key(self) -> tuple[str, str, str]:
        """Rule, object, and the revision that a rule of migrations judges: the same finding has the same key."""
        return self.rule.id, self.object, (self.revision or "") if self.rule.suite == "migrations" else ""

    @property
    def exemption(self) -> str:
        """The exemption that accepts the finding once it has a reason; "" if none can."""
        if not self.rule.exempt or (self.revision and not self.file) or any(sign in self.object for sign in WILDCARDS):
            return ""
        parts = {"rule": self.rule.id, "object": self.object, "reason": REASON}
        values = ", ".join(f"{name} = {_quoted(text)}" for name, text in parts.items())
        everywhere = f"in [tool.harness] exemptions: {{ {values} }}"
        if not self.revision:
            return everywhere
        here = f"in its file: exemptions = {{{_quoted(f'{self.rule.id}:{self.object}')}: {_quoted(REASON)}}}"
        return f"{everywhere}\n  or, if a later revision repairs it, {here}" if self.rule.suite == "schema" else here

    @property
    def head(self) -> str:
        """Severity, rule, object and place on one line."""
        return f"{self.severity}: {self.rule.id}: {self.object}" + (f" at {self.place}" if self.place else "")

    @property
    def place(self) -> str:
        """`path:line`, or as much of it as is known."""
        return ":".join(str(part) for part in (self.file, self.line) if part and self.file)

    def __str__(self) -> str:
        """Return the head, then what was seen, why it matters, the statement to blame, and the fix."""
        lines = [self.head, f"  {self.message}", f"  why: {self.rule.why}"]
        if self.statement:
            lines.append(f"  statement: {textwrap.shorten(self.statement, LONGEST_STATEMENT, placeholder=' …')}")
        lines.append("  fix: " + (self.fix or self.rule.fix).replace("\n", "\n       "))
        return "\n".join(lines)

    @property
    def text(self) -> str:
        """The finding, and how to accept it."""
        return f"{self}\n  or accept it, {self.exemption}" if self.exemption else str(self)


def _quoted(text: str) -> str:
    """Return a string of Python and of TOML: JSON's escapes are a subset of both."""
    return json.dumps(text, ensure_ascii=False)


def relative(path: Path, root: Path) -> str:
    """Return a path below `root` as findings print it, and any other as it is."""
    path = path.resolve()
    return str(path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A finding that a team accepts, for one rule and one exact object, with a reason; `file` is where it stands.

    Raises:
        ValueError: for a wildcard in `object`, or a reason shorter than `SHORTEST_REASON` characters.
    """

    rule: str
    object: str
    reason: str
    file: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse what would silence more than one place, or says nothing to the next reader."""
        if any(sign in self.object for sign in WILDCARDS):
            raise ValueError(
                f"exemption of {self.rule} for {self.object!r}: wildcards are not allowed, name one object"
            )
        if len(self.reason.strip()) < SHORTEST_REASON:
            raise ValueError(
                f"exemption of {self.rule} for {self.object}: the reason {self.reason!r} is too short; "
                f"say in {SHORTEST_REASON} characters or more why this object may break the rule"
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings sorted into those that fail, those that are only shown, and those that an exemption covers."""

    failing: tuple[Finding, ...] = ()
    shown: tuple[Finding, ...] = ()
    exempted: tuple[tuple[Finding, Exemption], ...] = ()

    @property
    def clean(self) -> bool:
        """Whether a build may pass."""
        return not self.failing

    def enforce(self, detail: str = "") -> None:
        """Fail the test, unless the verdict is clean.

        Raises:
            BrokenPromiseError: with the findings that fail, and with `detail`.
        """
        if not self.clean:
            raise BrokenPromiseError(self.failing, detail)

    def __add__(self, other: Verdict) -> Verdict:
        """Return both together."""
        return Verdict(self.failing + other.failing, self.shown + other.shown, self.exempted + other.exempted)

    def __str__(self) -> str:
        """Return what to read in a failure: every failing finding."""
        return "\n\n".join(map(str, self.failing))


class BrokenPromiseError(AssertionError):
    """Findings that fail a test; raised where it sent the request, or called the judge.

    `detail` is what they were found in, such as the statements of a request, and is printed once, after them.
    """

    def __init__(self, findings: Iterable[Finding], detail: str = "") -> None:
        self.findings, self.detail = tuple(findings), detail
        super().__init__("\n" + "\n\n".join([*(item.text for item in self.findings), *filter(None, [detail])]))
