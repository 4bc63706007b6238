"""The rules over a traced revision and over its file; importing this package registers them all."""

from __future__ import annotations

from harness.migrations.rules import (
    blocking,
    data,
    dynamic_sql,
    environment_branches,
    failing,
    locks,
    lost_guarantees,
    obstacles,
    release,
    rerunnable,
    sql_mistakes,
    static,
)

__all__ = [
    "blocking",
    "data",
    "dynamic_sql",
    "environment_branches",
    "failing",
    "locks",
    "lost_guarantees",
    "obstacles",
    "release",
    "rerunnable",
    "sql_mistakes",
    "static",
]
