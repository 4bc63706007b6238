"""One catalogue of every rule of every suite, and the judge of what the rules find.

A rule is a function that takes what it looks at and yields what breaks it. Its docstring says what it finds, why that
matters in production, and how to fix it. Importing its module registers it:

    @rule("table-without-owner", "error", "Every table has an owner")
    def table_without_owner(snapshot: Snapshot) -> Iterator[Breach]:
        '''Find tables that no role owns.

        Why: ...
        Fix: ...
        '''
        for table in snapshot.roots:
            if not table.owner:
                yield Breach(table.qualified, "the table has no owner")
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Generic, NamedTuple, TypeVar

from harness.errors import HarnessError
from harness.findings import Exemption, Finding, Rule, Severity, Verdict

SUBJECTS = {
    "Snapshot": ("schema", "catalogue"),
    "MetaData": ("schema", "models"),
    "Mapper": ("schema", "models"),
    "PlanNode": ("schema", "statements"),
    "Observations": ("migrations", "trace"),
    "Obstacle": ("migrations", "history"),
    "RevisionSource": ("migrations", "file"),
    "ReleasedHistory": ("migrations", "git"),
    "Engine": ("migrations", "models"),
    "Exchange": ("api", "wire"),
    "Timing": ("api", "wire"),
    "Answers": ("api", "wire"),
    "Recording": ("api", "wire"),
    "Unneeded": ("every suite", "exemptions"),
}
"""The type of a check's first argument, by which the suite of its rule and what is needed to judge it are known."""

DOCUMENTED = re.compile(r"^(?:Why|Fix): ", re.MULTILINE)
"""What separates the parts of a check's docstring."""

Subject = TypeVar("Subject")


class Breach(NamedTuple):
    """One place that breaks a rule: the object as an exemption names it, what was seen, and code that repairs it.

    `statement` is the SQL that is to blame, or a traced statement with its `sql` and `line`; `level` overrides the
    rule's severity; `line` is one of the file that is judged.
    """

    object: str
    message: str
    fix: str = ""
    statement: Any = None
    level: Severity | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """A rule with the function that finds what breaks it."""

    rule: Rule
    find: Callable[..., Iterable[Breach]]
    takes: int
    finds: str
    """What the function looks for: the first line of its docstring, without the verb."""

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def level(self) -> str:
        """The rule's severity, or that it is optional."""
        return "optional" if self.rule.optional else self.rule.severity

    def __call__(self, subject: Subject, *more: Any, **named: Any) -> list[Finding]:
        """Return the findings in `subject`; of the further arguments the function is given as many as it takes."""
        found: list[Finding] = []
        for place, message, fix, sent, level, line in self.find(subject, *more[: self.takes - 1], **named):
            finding = Finding(self.rule, place, message, fix, statement=getattr(sent, "sql", sent), level=level)
            found.append(replace(finding, line=line or getattr(sent, "line", None)))
        return found


_CATALOGUE: dict[str, Check[Any]] = {}


def rule(
    id: str,  # noqa: A002 - as in Rule
    severity: Severity,
    title: str,
    *,
    optional: bool = False,
    exempt: bool = True,
) -> Callable[[Callable[Concatenate[Subject, ...], Iterable[Breach]]], Check[Subject]]:
    """Register the decorated function as the check of a rule; one without annotations takes a `Snapshot`.

    Raises:
        ValueError: for an id that is taken, a first argument of a type that is not in `SUBJECTS`, or a docstring that
            lacks `Why:` or `Fix:`.
    """

    def register(find: Callable[Concatenate[Subject, ...], Iterable[Breach]]) -> Check[Subject]:
        known = _CATALOGUE.get(id)
        if known and (known.find.__module__, known.find.__name__) != (find.__module__, find.__name__):
            raise ValueError(f"two rules are called {id!r}: {known.find.__module__} has the first")
        parameters = list(inspect.signature(find).parameters.values())
        suite, needs = _subject(str(parameters[0].annotation)) if parameters else ("", "")
        if not suite:
            raise ValueError(f"the first argument of rule {id!r} must be one of {', '.join(SUBJECTS)}")
        match DOCUMENTED.split(inspect.getdoc(find) or ""):
            case [finds, why, fix]:
                why, fix = " ".join(why.split()), " ".join(fix.split())
            case _:
                raise ValueError(f"the docstring of rule {id!r} must have a line Why: and then a line Fix:")
        declared = Rule(id, severity, title, why, fix, optional, suite, needs, exempt)
        found = finds.strip().partition("\n")[0].removeprefix("Find ").removesuffix(".")
        _CATALOGUE[id] = Check(declared, find, len(parameters), found)
        return _CATALOGUE[id]

    return register


def _subject(annotation: str) -> tuple[str, str]:
    if annotation == str(inspect.Parameter.empty):
        return SUBJECTS["Snapshot"]
    known = [word for word in re.findall(r"\w+", annotation) if word in SUBJECTS]
    return SUBJECTS[known[-1]] if known else ("", "")


def catalogue(suite: str = "", *needs: str) -> tuple[Check[Any], ...]:
    """Return the rules whose modules are imported, those of one suite or with these needs, in order of registration."""
    return tuple(
        check
        for check in _CATALOGUE.values()
        if suite in ("", check.rule.suite) and (not needs or check.rule.needs in needs)
    )


def named(id: str, suite: str = "", *needs: str) -> Check[Any]:  # noqa: A002 - as in Rule
    """Return the rule of this id, of those that `catalogue` gives.

    Raises:
        HarnessError: when there is none, with the nearest ids.
    """
    known = {check.id: check for check in catalogue(suite, *needs)}
    if id not in known:
        near = ", ".join(difflib.get_close_matches(id, known, 3, 0.3)) or "none"
        problem = f"there is no {suite} rule {id!r}; the nearest are {near}".replace("  ", " ")
        raise HarnessError(problem, remedy="`python -m harness rules` lists all rules")
    return known[id]


Unneeded = tuple[str, str]
"""What an exemption is for, and why it is not needed."""


@rule("stale-exemption", "error", "Every exemption covers a finding", exempt=False)
def stale_exemption(unneeded: Iterable[Unneeded]) -> Iterator[Breach]:
    """Find exemptions and raised budgets that nothing needs.

    Why: an exemption that covers nothing today hides the next mistake
    Fix: remove the exemption
    """
    for place, reason in unneeded:
        yield Breach(place, reason)


def judge(
    findings: Iterable[Finding],
    exemptions: Iterable[Exemption] = (),
    accepted: Iterable[Exemption] = (),
    *,
    strict: bool = False,
) -> Verdict:
    """Return `findings` sorted by what the exemptions and `strict` make of them.

    An error fails; a warning fails only when `strict`; an info never does. Of `exemptions` each must cover a finding,
    or it is a finding itself; `accepted` ones may be needed by other findings.
    """
    own = {(item.rule, item.object): item for item in exemptions}
    known = {(item.rule, item.object): item for item in accepted} | own
    fails = {"error", "warning"} if strict else {"error"}
    failing: list[Finding] = []
    shown: list[Finding] = []
    exempted: list[tuple[Finding, Exemption]] = []
    for finding in findings:
        place = (finding.rule.id, finding.object)
        own.pop(place, None)
        if place in known:
            exempted.append((finding, known[place]))
        else:
            (failing if finding.severity in fails else shown).append(finding)
    stale = stale_exemption((f"{item.rule}:{item.object}", _unneeded(item)) for item in own.values())
    failing += (replace(found, file=item.file or None) for found, item in zip(stale, own.values(), strict=True))
    return Verdict(tuple(failing), tuple(shown), tuple(exempted))


def _unneeded(item: Exemption) -> str:
    """Return why an exemption covers nothing."""
    if known := _CATALOGUE.get(item.rule):
        idle = ", or it does not run, because it is optional" if known.rule.optional else ""
        return f"nothing breaks this rule there{idle} ({item.reason})"
    near = difflib.get_close_matches(item.rule, _CATALOGUE, 1)
    hint = f": did you mean {near[0]}?" if near else ""
    return f"no rule is called {item.rule}{hint} ({item.reason})"
