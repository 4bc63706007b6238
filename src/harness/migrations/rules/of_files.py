"""Reads revisions without running them: every rule that needs nothing but the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from harness.findings import Finding, Rule
from harness.migrations.files.source import RevisionSource, read_source
from harness.migrations.rules import dynamic_sql, environment_branches, rerunnable, sql_mistakes, static

CHECKS: dict[Rule, Callable[[RevisionSource], Iterator[Finding]]] = {
    static.IMPORTS_APP_MODELS: static.imports_app_models,
    dynamic_sql.SQL_IN_FSTRING: dynamic_sql.sql_in_fstring,
    static.OFFLINE_UNSAFE: static.offline_unsafe,
    static.TIME_OR_RANDOM: static.time_or_random,
    environment_branches.UNREACHED_BRANCH: environment_branches.unreached_branch,
    rerunnable.NOT_ROBUST: rerunnable.not_robust,
    sql_mistakes.UNCOMMITTED: sql_mistakes.uncommitted,
    sql_mistakes.DUPLICATE_COLUMN: sql_mistakes.duplicate_column,
    sql_mistakes.ENUM_ORDER: sql_mistakes.enum_order,
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
