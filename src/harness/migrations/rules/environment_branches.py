"""Branches that depend on the environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.migrations.files.source import RevisionSource, calls, place
from harness.migrations.files.value_origins import ENVIRONMENT, is_setting
from harness.rules import Breach, rule

OFFLINE = ("is_offline_mode()", ".as_sql")
ASKING = ("alembic.op.get_bind", "alembic.op.get_context", "alembic.op.f")


@rule("unreached-branch", "warning", "A revision does the same everywhere")
def unreached_branch(source: RevisionSource) -> Iterator[Breach]:
    """Find conditions on settings, the environment or the server version that decide what a revision does.

    A condition on what the database holds, or on the kind of database, is the same in a test and in production; one
    on offline mode matters when each way does something.

    Why: a test observes only one branch, and production may take the other
    Fix: write one path; for two kinds of deployment, write two revisions
    """
    for function in source.functions:
        for node in ast.walk(function):
            if not isinstance(node, ast.If | ast.IfExp | ast.While) or not (cause := _decides(node.test, source)):
                continue
            branches = [_operates(branch, source) for branch in _branches(node)]
            offline = source.names.dotted(cause).endswith(OFFLINE)
            if all(branches) if offline else any(branches) or _ends_early(node):
                condition = ast.unparse(cause)
                message = f"{condition} decides what {function.name}() does"
                yield Breach(place(function, condition), message, line=node.lineno)


def _decides(test: ast.expr, source: RevisionSource) -> ast.expr | None:
    """The part of a condition that another environment may answer otherwise."""
    for node in ast.walk(test):
        name = source.names.dotted(node) if isinstance(node, ast.expr) else ""
        if name.startswith(ENVIRONMENT) or "server_version_info" in name or is_setting(name):
            return node if isinstance(node, ast.expr) else None
    return None


def _branches(node: ast.If | ast.IfExp | ast.While) -> list[list[ast.AST]]:
    """What runs when the condition holds, and what runs when it does not."""
    return [[node.body], [node.orelse]] if isinstance(node, ast.IfExp) else [[*node.body], [*node.orelse]]


def _operates(branch: list[ast.AST], source: RevisionSource) -> bool:
    """Return whether a branch calls an operation; asking for the connection is none."""
    names = (source.names.dotted(call.func) for node in branch for call in calls(node))
    return any(name.startswith("alembic.op.") and name not in ASKING for name in names)


def _ends_early(node: ast.If | ast.IfExp | ast.While) -> bool:
    return isinstance(node, ast.If) and any(isinstance(each, ast.Return) for each in [*node.body, *node.orelse])
