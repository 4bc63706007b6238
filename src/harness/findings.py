"""The words that every suite shares: Rule, Finding, Exemption, and the Verdict that they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]

SHORTEST_REASON = 20
"""Characters below which an exemption's reason is taken for no reason at all."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One promise that a suite keeps.

    `id` is kebab-case and stands in output, exemptions and docs. `why` says what happens in production when the rule
    is broken; `fix` says in a sentence how to keep it. An `optional` rule runs only where the configuration names it.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that breaks a rule.

    `object` names the place exactly as an exemption must (`schema.table.column`, `drop-column` objects of a revision,
    `GET /v1/todos`). `message` carries the values that were seen, `fix` is code that can be pasted. `revision` and
    `statement` are set where a migration or a query is judged. `level` overrides the rule's severity.
    """

    rule: Rule
    object: str
    message: str
    fix: str = ""
    revision: str | None = None
    statement: str | None = None
    level: Severity | None = None

    @property
    def severity(self) -> Severity:
        """The finding's own level where it has one, else its rule's."""
        return self.level or self.rule.severity

    def __str__(self) -> str:
        """Rule and object on one line, then what was seen, why it matters and the fix."""
        lines = [f"{self.rule.id}: {self.object}", f"  {self.message}", f"  why: {self.rule.why}"]
        if self.statement:
            lines.append(f"  statement: {self.statement}")
        lines.append("  fix: " + (self.fix or self.rule.fix).replace("\n", "\n       "))
        return "\n".join(lines)


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
            raise ValueError(f"exemption of {self.rule} for {self.object!r}: wildcards are not taken, name one object")
        if len(self.reason.strip()) < SHORTEST_REASON:
            raise ValueError(
                f"exemption of {self.rule} for {self.object}: the reason {self.reason!r} is too short; "
                f"say in {SHORTEST_REASON} characters or more why this object may break the rule"
            )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings sorted into those that fail, those that are only shown, and those that an exemption covers.

    `stale` holds the exemptions whose object is gone or no longer breaks the rule: they fail too, so that the list of
    exemptions never grows beyond what is true.
    """

    failing: tuple[Finding, ...] = ()
    shown: tuple[Finding, ...] = ()
    exempted: tuple[tuple[Finding, Exemption], ...] = ()
    stale: tuple[Exemption, ...] = field(default=())

    @property
    def clean(self) -> bool:
        """Whether a build may pass."""
        return not self.failing and not self.stale

    def __str__(self) -> str:
        """What to read in a failure: every failing finding, then every stale exemption."""
        stale = [
            f"stale exemption: {item.rule} for {item.object}\n"
            f"  nothing breaks this rule there any more; remove the exemption ({item.reason})"
            for item in self.stale
        ]
        return "\n\n".join([*map(str, self.failing), *stale])


def judge(findings: Iterable[Finding], exemptions: Iterable[Exemption] = (), *, strict: bool = False) -> Verdict:
    """Sort `findings` by what the exemptions and `strict` make of them.

    An error fails; a warning fails only when `strict`; an info never does. The caller passes only the exemptions that
    these findings could have met, otherwise the others are stale.
    """
    accepted = {(item.rule, item.object): item for item in exemptions}
    fails = {"error", "warning"} if strict else {"error"}
    failing: list[Finding] = []
    shown: list[Finding] = []
    exempted: list[tuple[Finding, Exemption]] = []
    for finding in findings:
        exemption = accepted.get((finding.rule.id, finding.object))
        if exemption:
            exempted.append((finding, exemption))
        elif finding.severity in fails:
            failing.append(finding)
        else:
            shown.append(finding)
    used = {(item.rule, item.object) for _, item in exempted}
    stale = tuple(item for key, item in accepted.items() if key not in used)
    return Verdict(tuple(failing), tuple(shown), tuple(exempted), stale)
