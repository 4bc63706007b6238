"""Revisions that cannot run again after an interruption.

Alembic's `autocommit_block` commits the statements before it. When anything up to its end fails, the revision is not
recorded, and the next run begins with its first statement.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.migrations.files.source import SENDERS, RevisionSource, place
from harness.rules import Breach, rule
from harness.sql import lexer

LEAVING = ("create_index_concurrently", "drop_index_concurrently", "add_not_null", "replace_check", "update_in_batches")
"""Operations of the template's migrations/operations.py: each leaves the transaction, and each can run again."""

GUARDS = {
    "create_table": "if_not_exists",
    "create_index": "if_not_exists",
    "add_column": "if_not_exists",
    "drop_table": "if_exists",
    "drop_index": "if_exists",
    "drop_column": "if_exists",
    "drop_constraint": "if_exists",
    "create_check_constraint": "",
    "create_exclude_constraint": "",
    "create_foreign_key": "",
    "create_primary_key": "",
    "create_unique_constraint": "",
    "rename_table": "",
}
"""Alembic's operations that fail when they run a second time, and the argument with which they do not."""

ALTER_OPTIONS = ("IF", "NOT", "EXISTS", "ONLY", "COLUMN", "CONSTRAINT", "CONCURRENTLY")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a call does: it makes, changes or drops `name`; `guarded` when it may run twice."""

    verb: str
    name: str
    guarded: bool


@rule("not-robust", "error", "A revision that leaves its transaction can run again")
def not_robust(source: RevisionSource) -> Iterator[Breach]:
    """Find statements before the end of an autocommit block that fail when they run a second time.

    Code under `if`, `try` or `while` is taken as guarded by hand; so is an object that was dropped with IF
    EXISTS before it is made.

    Why: after a failure the statements before it are kept, so the next deployment fails on them
    Fix: use IF [NOT] EXISTS or op.create_index_concurrently, or put the statements before the block into another
        revision
    """
    for function in source.functions:
        path = list(_path(function.body, source))
        leaves = [index for index, call in enumerate(path) if call is None]
        dropped: set[str] = set()
        named: set[str] = set()
        for call in path[: leaves[-1]] if leaves else []:
            for step in _steps(call, source) if call else ():
                if step.guarded and step.verb == "DROP":
                    dropped.add(step.name)
                elif not step.guarded and not (step.verb != "DROP" and step.name in dropped) and step.name not in named:
                    named.add(step.name)
                    yield _breach(function, call, step)


def _breach(function: ast.FunctionDef, call: ast.Call | None, step: Step) -> Breach:
    again = {"CREATE": ": it is there already", "DROP": ": it is gone already"}.get(step.verb, "")
    message = f"{step.verb} of {step.name} in {function.name}() fails when the revision is run again{again}"
    return Breach(place(function, step.name), message, line=call.lineno if call else function.lineno)


def _path(body: list[ast.stmt], source: RevisionSource) -> Iterator[ast.Call | None]:
    """The calls that always run, in order; None where the transaction is left."""
    for node in body:
        if isinstance(node, ast.With):
            yield from _path(node.body, source)
            if any(_is_autocommit(item.context_expr) for item in node.items):
                yield None
        elif isinstance(node, ast.For):
            yield from _path(node.body, source)
        elif isinstance(node, ast.If | ast.Try | ast.While):
            if any(_is_autocommit(child) or _leaves(child, source) for child in ast.walk(node)):
                yield None
        elif isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Call):
            yield None if _leaves(node.value, source) else node.value


def _is_autocommit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "autocommit_block"


def _leaves(node: ast.AST, source: RevisionSource) -> bool:
    if not isinstance(node, ast.Call):
        return False
    operation = source.names.dotted(node.func).removeprefix("alembic.op.")
    return operation in LEAVING


def _steps(call: ast.Call, source: RevisionSource) -> Iterator[Step]:
    """What a call does that could fail the second time."""
    name = source.names.dotted(call.func)
    operation = name.removeprefix("alembic.op.")
    if operation in GUARDS and operation != name:
        yield _operation(call, operation, source)
    elif isinstance(call.func, ast.Attribute) and call.func.attr in SENDERS and call.args:
        text = source.names.text(source.names.unwrapped(call.args[0]))
        for tokens in lexer.statements(text or ""):
            yield from _statement(tokens)


def _operation(call: ast.Call, operation: str, source: RevisionSource) -> Step:
    """One of Alembic's operations; a column is named with its table."""
    guard = GUARDS[operation]
    guarded = any(word.arg == guard and not _is_false(word.value) for word in call.keywords)
    words = [_word(value, source) for value in call.args[:2]]
    name = ".".join(words) if operation in ("add_column", "drop_column") else "".join(words[:1])
    verb = "DROP" if operation.startswith("drop") else "RENAME" if operation.startswith("rename") else "CREATE"
    return Step(verb, name, guarded)


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _word(node: ast.expr, source: RevisionSource) -> str:
    """A name as an argument gives it, also inside `op.f("…")` and `sa.Column("…", …)`; else the expression itself."""
    if isinstance(node, ast.Call) and node.args:
        return _word(node.args[0], source)
    unwrapped = source.names.unwrapped(node)
    return source.names.text(unwrapped) or ast.unparse(node)


def _statement(tokens: lexer.Tokens) -> Iterator[Step]:
    """What a statement of SQL makes, changes or drops."""
    guarded = _has(tokens, "IF", "EXISTS") or _has(tokens, "IF", "NOT", "EXISTS") or _has(tokens, "OR", "REPLACE")
    if lexer.starts(tokens, "CREATE") or lexer.starts(tokens, "DROP"):
        temporary = bool({"TEMP", "TEMPORARY"} & {*tokens[1:4]})
        yield Step(tokens[0], _object(tokens[1:]), guarded or temporary)
    elif lexer.starts(tokens, "ALTER", "TYPE") and (value := lexer.after(tokens, "ADD", "VALUE")):
        yield Step("ALTER", lexer.name(tokens[2:]), lexer.starts(value, "IF", "NOT", "EXISTS"))
    elif lexer.starts(tokens, "ALTER", "TABLE"):
        rest = _skip(tokens[2:])
        table = lexer.name(rest)
        steps = [step for action in lexer.parts(rest[_length(rest) :], ",") for step in _action(table, action)]
        yield from (replace(step, guarded=step.guarded or _is_replaced(step, steps)) for step in steps)


def _is_replaced(step: Step, steps: list[Step]) -> bool:
    """Return whether one ALTER TABLE drops an object and makes it again: then it can be repeated."""
    verbs = [other.verb for other in steps if other.name == step.name]
    return verbs == ["DROP", "CREATE"]


KINDS = (
    "AGGREGATE", "COLLATION", "DOMAIN", "EXTENSION", "FUNCTION", "INDEX", "OPERATOR", "POLICY", "PROCEDURE", "ROLE",
    "RULE", "SCHEMA", "SEQUENCE", "STATISTICS", "TABLE", "TRIGGER", "TYPE", "VIEW",
)  # fmt: skip


def _object(tokens: lexer.Tokens) -> str:
    """The name after the kind of object, IF EXISTS and CONCURRENTLY left out."""
    for index, token in enumerate(tokens):
        if token in KINDS:
            return lexer.name(_skip(tokens[index + 1 :]))
    return " ".join(tokens[:3]).lower()


def _action(table: str, action: lexer.Tokens) -> Iterator[Step]:
    """One action of ALTER TABLE; SET, RESET, ALTER COLUMN, VALIDATE and OWNER TO can be repeated."""
    verb = action[0]
    guarded = _has(action, "IF", "EXISTS") or _has(action, "IF", "NOT", "EXISTS")
    if verb in ("ADD", "DROP"):
        constraint = lexer.starts(action, verb, "CONSTRAINT")
        name = lexer.name(_skip(action[1:]))
        yield Step("DROP" if verb == "DROP" else "CREATE", name if constraint else f"{table}.{name}", guarded)
    elif verb in ("RENAME", "ATTACH", "DETACH"):
        yield Step(verb, table, False)


def _has(tokens: lexer.Tokens, *words: str) -> bool:
    """Return whether these words stand together near the beginning, before a definition could repeat them."""
    return any(lexer.starts(tokens[index:], *words) for index in range(min(len(tokens), 6)))


def _skip(tokens: lexer.Tokens) -> lexer.Tokens:
    index = 0
    while index < len(tokens) and tokens[index] in ALTER_OPTIONS:
        index += 1
    return tokens[index:]


def _length(tokens: lexer.Tokens) -> int:
    """How many tokens the qualified name has that `tokens` begin with."""
    return 3 if lexer.starts(tokens[1:], ".") else 1
