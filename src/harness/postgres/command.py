"""`python -m harness postgres`: the servers on this machine, and the one that a run would take."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.config import load_config
from harness.postgres.installations import choose, installations


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand and its options."""
    parser = subparsers.add_parser(
        "postgres", help="list the Postgres servers on this machine, and the one that a run would take"
    )
    parser.add_argument("--pg", type=int, metavar="MAJOR", help="as pytest's --pg")
    parser.add_argument("--postgresql-exec", metavar="PATH", help="as pytest's --postgresql-exec")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each server, then the one that would be taken.

    Raises:
        HarnessError: when none fits.
    """
    default = load_config(Path.cwd()).postgres
    for installation in installations():
        print(f"  found {installation}")
    taken = choose(default, asked=args.pg, executable=args.postgresql_exec)
    asker = "--postgresql-exec" if args.postgresql_exec else "[tool.harness] postgres" if args.pg is None else "--pg"
    print(f"* taken {taken}: {taken.major} by {asker}")
    return 0
