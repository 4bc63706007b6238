"""`python -m harness`: what the harness can do without pytest. Exit codes: 0 clean, 1 findings, 2 no work done."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial

from harness.errors import HarnessError
from harness.migrations import command as migrations
from harness.postgres import command as postgres
from harness.schema import command as schema
from harness.schema.options import Options
from harness.schema.registry import findings
from harness.traffic import command as traffic

COMMANDS = (schema, migrations, postgres, traffic)
"""Modules with `add_parser(subparsers)`, which names `run(args) -> int` as the parser's default `run`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness", description="Database rules as tests, outside pytest.")
    parser.set_defaults(schema_rules=partial(findings, options=Options()))  # migrations judges what a revision makes
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left; nothing else can be told
        return 1


if __name__ == "__main__":
    sys.exit(main())
