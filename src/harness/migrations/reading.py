"""Reads revisions without running them: every rule that needs nothing but the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.findings import Finding, Rule
from harness.migrations.rules import branches, composed, repeat, slips, static
from harness.migrations.source import Source, read_source

CHECKS: dict[Rule, Callable[[Source], Iterator[Finding]]] = {
    static.IMPORTS_APP_MODELS: static.imports_app_models,
    composed.SQL_IN_FSTRING: composed.sql_in_fstring,
    static.OFFLINE_UNSAFE: static.offline_unsafe,
    static.TIME_OR_RANDOM: static.time_or_random,
    branches.UNREACHED_BRANCH: branches.unreached_branch,
    repeat.NOT_ROBUST: repeat.not_robust,
    slips.UNCOMMITTED: slips.uncommitted,
    slips.DUPLICATE_COLUMN: slips.duplicate_column,
    slips.ENUM_ORDER: slips.enum_order,
}
"""Each rule with the function that judges one file by it."""


def read_revision(path: Path, package: str, *, offline: bool = False) -> list[Finding]:
    """The findings of one revision file.

    `package` is the app's top-level package, empty when the project has none; `offline` says whether the project's
    env.py renders SQL (`source.renders_offline`).

    Raises:
        HarnessError: when the file cannot be read or is not Python.
    """
    source = read_source(path, package, offline=offline)
    return [finding for check in CHECKS.values() for finding in check(source)]
