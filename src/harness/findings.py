"""The words that every suite shares: Rule, Finding, Exemption, and the Verdict that they add up to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "info"]

SHORTEST_REASON = 20
"""Characters below which an exemption's reason is taken for no reason at all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise that a suite keeps; `harness.rules.rule` makes it.

    `id` is kebab-case and is used in output, exemptions and docs. `why` says what happens in production when the rule
    is broken; `fix` says in a sentence how to keep it. An `optional` rule runs only where the configuration names it.
    `needs` says what the rule is judged on, such as a `trace` or the `catalogue`.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    optional: bool = False
    suite: str = ""
    needs: str = ""


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
    def place(self) -> str:
        """`path:line`, or as much of it as is known."""
        return ":".join(str(part) for part in (self.file, self.line) if part and self.file)

    def __str__(self) -> str:
        """Return severity, rule, object and place on one line, then what was seen, why it matters and the fix."""
        head = f"{self.severity}: {self.rule.id}: {self.object}" + (f" at {self.place}" if self.place else "")
        lines = [head, f"  {self.message}", f"  why: {self.rule.why}"]
        if self.statement:
            lines.append(f"  statement: {self.statement}")
        lines.append("  fix: " + (self.fix or self.rule.fix).replace("\n", "\n       "))
        return "\n".join(lines)


def relative(path: Path, root: Path) -> str:
    """Return a path below `root` as findings print it, and any other as it is."""
    path = path.resolve()
    return str(path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A finding that a team accepts, for one rule and one exact object, with a reason.

    Raises:
        ValueError: for a wildcard in `object`, or a reason shorter than `SHORTEST_REASON` characters.
    """

    rule: str
    object: str
    reason: str

    def __post_init__(self) -> None:
        """Refuse what would silence more than one place, or says nothing to the next reader."""
        if any(sign in self.object for sign in "*%?"):
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

    def __add__(self, other: Verdict) -> Verdict:
        """Return both together."""
        return Verdict(self.failing + other.failing, self.shown + other.shown, self.exempted + other.exempted)

    def __str__(self) -> str:
        """Return what to read in a failure: every failing finding."""
        return "\n\n".join(map(str, self.failing))
