"""`python -m harness rules [ID]`: the catalogue of all suites, or one rule with its reason and examples."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from textwrap import indent
from typing import Any

from harness.examples import examples_of
from harness.rules import Check, catalogue, named

MODULES = {
    "schema": "rules drift.drift access.relationships access.unindexed",
    "migrations": "rules files.released model_drift",
    "api": "rules growth latency",
}
"""Where rules are declared; an import registers them."""

SUITES = ("schema", "migrations", "api", "every suite")

NEEDS = {
    "catalogue": "the catalogue of any database",
    "models": "the models, and a database at head",
    "statements": "the statements that the app sends, planned on a database at head",
    "trace": "the revision, run on seeded rows",
    "history": "the revisions below it",
    "file": "the revision's file",
    "git": "the released revisions, as git has them",
    "wire": "requests, watched between the app and the database",
    "exemptions": "the exemptions of what was judged",
}
"""What each rule is judged on, in words."""

AFTER = ("setup", "below", "migrated", "server")
"""The fields of an example that say what is there before."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "rules",
        help="list the rules of all suites, or explain one",
        description="List the rules of all suites, or explain one: why, how to repair it, and an example.",
        epilog="Exit codes: 0 done, 2 there is no such rule.",
    )
    parser.add_argument("id", nargs="?", metavar="ID", help="explain this rule")
    parser.set_defaults(run=run)


def every_rule() -> tuple[Check[Any], ...]:
    """Return the rules of all suites, those of the harness alone."""
    for suite, modules in MODULES.items():
        for module in modules.split():
            import_module(f"harness.{suite}.{module}")
    return tuple(check for check in catalogue() if check.find.__module__.startswith("harness."))


def run(args: argparse.Namespace) -> int:
    """Print the list or one rule.

    Raises:
        HarnessError: for an id that no rule has.
    """
    every_rule()
    sys.stdout.write("\n".join(_explained(named(args.id)) if args.id else _listed()) + "\n")
    return 0


def _listed() -> Iterator[str]:
    width = max(len(check.id) for check in catalogue())
    for number, suite in enumerate(SUITES):
        yield f"\n{suite}" if number else suite
        for check in sorted(catalogue(suite), key=lambda check: check.id):
            yield f"  {check.id:{width}}  {check.level:8}  {check.rule.title}"


def _explained(check: Check[Any]) -> Iterator[str]:
    rule = check.rule
    yield f"{rule.id}: {rule.title}"
    for label, text in (
        ("severity", rule.severity + (", only where the project names it" if rule.optional else "")),
        ("suite", rule.suite),
        ("needs", NEEDS[rule.needs]),
        ("finds", check.finds),
        ("why", rule.why),
        ("fix", rule.fix),
    ):
        yield f"  {label + ':':9} {text}"
    for breaks, label in ((True, "breaks it"), (False, "does not break it")):
        for example in examples_of(rule.id, breaks=breaks)[:1]:
            yield f"\n{label}:" if example.name.isdigit() else f"\n{label} ({example.name}):"
            yield from (f"  after {key}: {example.fields[key]}" for key in AFTER if key in example.fields)
            yield indent(example.code.strip(), "    ")
