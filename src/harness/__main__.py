"""`python -m harness`: the harness without pytest. Exit codes: 0 clean, 1 findings, 2 error."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness import rules_command
from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.findings import Finding
from harness.migrations import command as migrations
from harness.postgres import command as postgres
from harness.schema import command as schema
from harness.schema.options import findings, read_options
from harness.traffic import command as traffic

COMMANDS = (schema, migrations, rules_command, postgres, traffic)
"""Modules with `add_parser(subparsers)`, which names `run(args) -> int` as the parser's default `run`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness", description="Database rules as tests, outside pytest.")
    parser.set_defaults(schema_rules=_schema_rules)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(subparsers)
    args = parser.parse_args(arguments)
    try:
        return int(args.run(args))
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has left
        return 1


def _schema_rules(options: Mapping[str, Any]) -> Callable[[Snapshot], list[Finding]]:
    """Return the schema rules that judge what a revision makes, with the options of its project."""
    chosen = read_options(options)
    return lambda snapshot: findings(snapshot, chosen)


if __name__ == "__main__":
    sys.exit(main())
