"""How a schema rule is written, found and run.

A rule is one function that takes a snapshot, and options where it has a choice, and yields places:

    @rule("table-without-owner", "error", "Every table has an owner", why="...", fix="...")
    def table_without_owner(snapshot: Snapshot) -> Iterator[Breach]:
        for table in snapshot.roots:
            if not table.owner:
                yield Breach(table.qualified, "nobody owns it")
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.findings import Finding, Rule, Severity
from harness.schema.options import Options


class Breach(NamedTuple):
    """One place that breaks a rule: the object as an exemption names it, what was seen, and code that mends it."""

    object: str
    message: str
    fix: str = ""


Check = Callable[..., Iterable[Breach]]


@dataclass(frozen=True, slots=True)
class SchemaRule:
    """A rule with its check; called with a snapshot it gives the findings."""

    rule: Rule
    check: Check
    takes_options: bool

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    def __call__(self, snapshot: Snapshot, options: Options | None = None) -> list[Finding]:
        """Every finding of this rule in `snapshot`, in the snapshot's order."""
        chosen: list[Any] = [options or Options()] if self.takes_options else []
        return [Finding(self.rule, *place) for place in self.check(snapshot, *chosen)]


_RULES: dict[str, SchemaRule] = {}


def rule(
    id: str,  # noqa: A002 - it is the name of Rule's field
    severity: Severity,
    title: str,
    *,
    why: str,
    fix: str,
    optional: bool = False,
) -> Callable[[Check], SchemaRule]:
    """Register a check under `id`.

    Raises:
        ValueError: for an id that is taken.
    """

    def register(check: Check) -> SchemaRule:
        if id in _RULES:
            raise ValueError(f"two schema rules are called {id!r}: {_RULES[id].check.__module__} has the first")
        takes_options = len(inspect.signature(check).parameters) > 1
        _RULES[id] = SchemaRule(Rule(id, severity, title, why, fix, optional), check, takes_options)
        return _RULES[id]

    return register


def registered() -> tuple[SchemaRule, ...]:
    """Every rule that is imported, in order of registration."""
    return tuple(_RULES.values())


def chosen(options: Options, only: Iterable[str] = ()) -> tuple[SchemaRule, ...]:
    """The rules that run: those named by `only`, else all but the optional ones that `options.rules` does not name.

    Raises:
        HarnessError: for a name that no rule has.
    """
    names = tuple(only)
    for name in (*names, *options.rules):
        if name not in _RULES:
            near = difflib.get_close_matches(name, _RULES, 3, 0.3)
            raise HarnessError(f"there is no schema rule {name!r}; the nearest are {', '.join(near) or 'none'}")
    if names:
        return tuple(_RULES[name] for name in dict.fromkeys(names))
    return tuple(item for item in registered() if not item.rule.optional or item.id in options.rules)


def findings(snapshot: Snapshot, options: Options, only: Iterable[str] = ()) -> list[Finding]:
    """What all chosen rules find."""
    return [finding for item in chosen(options, only) for finding in item(snapshot, options)]
