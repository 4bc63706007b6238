"""SQL composed at run time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.migrations.files.source import TEXTS, RevisionSource, calls, place
from harness.migrations.files.value_origins import comes_from_outside, is_from_catalogue
from harness.rules import Breach, rule


@rule("sql-in-fstring", "error", "The SQL of a revision is written in its file")
def sql_in_fstring(source: RevisionSource) -> Iterator[Breach]:
    """Find SQL that is composed of values from the environment, settings, the clock or rows.

    Constants, loops over constants and parameters of the file's own functions are what the file holds; names that the
    system catalogue gives are as good.

    Why: where the environment or the rows differ, the revision sends different SQL, so no test can judge it
    Fix: write the names into the file, and pass values as bound parameters
    """
    seen: set[tuple[str, str]] = set()
    for function in source.functions:
        for expression in _texts(source, function):
            origin = _foreign(expression, source)
            if origin and (function.name, origin) not in seen:
                seen.add((function.name, origin))
                message = f"the SQL of {function.name}() holds {origin}, which is known only when it runs"
                sql = source.names.text(expression)
                yield Breach(place(function, origin), message, statement=sql, line=expression.lineno)


def _texts(source: RevisionSource, function: ast.FunctionDef) -> Iterator[ast.expr]:
    """The strings of a function that are put together and used as SQL, each once."""
    arguments = [expression for expression, _ in source.statements(function)]
    arguments += [
        source.names.unwrapped(call.args[0])
        for call in calls(function)
        if call.args and source.names.dotted(call.func) in TEXTS
    ]
    for expression in {id(expression): expression for expression in arguments}.values():
        if _is_put_together(expression):
            yield expression


def _is_put_together(node: ast.expr) -> bool:
    """Return whether an expression is an f-string, `%`, `+` or `.format` on a string."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add) and (_is_string(node.left) or _is_put_together(node.left))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_string(node.func.value)
    return isinstance(node, ast.JoinedStr)


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _foreign(node: ast.expr, source: RevisionSource, followed: frozenset[str] = frozenset()) -> str | None:
    """The first part of an expression whose value the file does not hold."""
    name = source.names.dotted(node.value if isinstance(node, ast.Subscript) else node)
    if name and comes_from_outside(name, source.package) and not is_from_catalogue(node, source.names):
        return ast.unparse(node)
    if isinstance(node, ast.Name) and node.id not in followed:
        for value in source.names.values.get(node.id, []):
            if _foreign(value, source, followed | {node.id}):
                return node.id
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and (found := _foreign(child, source, followed)):
            return found
    return None
