"""Imports, random values and offline mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.migrations.files.exemptions import assignment
from harness.migrations.files.source import SENDERS, Names, RevisionSource, calls
from harness.migrations.files.value_origins import SERVER, is_chance
from harness.rules import Breach, rule


@rule("hazards-renamed", "info", "A revision states its exemptions in `exemptions`")
def hazards_renamed(source: RevisionSource) -> Iterator[Breach]:
    """Find revisions that state their exemptions in `hazards`.

    Why: the old name, `hazards`, will not be read for much longer
    Fix: rename the variable to `exemptions`, also in a released revision
    """
    for node in source.tree.body:
        if assignment(node, "hazards") is not None:
            yield Breach(source.revision, "its exemptions are called hazards", line=node.lineno)


TELLING = ("print", "debug", "info", "warning", "error", "log")
"""Functions and methods that only tell a person."""

TYPING = ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")
IMPORTERS = ("importlib.import_module", "builtins.__import__")


@rule("imports-app-models", "error", "A revision does not import the app")
def imports_app_models(source: RevisionSource) -> Iterator[Breach]:
    """Find imports of the app's package, unless for type checkers only.

    Why: the models change and the revision does not, so the revision fails later or does something else
    Fix: declare tables with sa.table() and sa.column(), and copy the class of a type into the revision
    """
    for name, line in sorted({*_imported(source.tree, source.names)}):
        if name.partition(".")[0] == source.package:
            message = f"it imports {name}, which will change after this revision"
            yield Breach(name, message, line=line)


def _imported(node: ast.AST, names: Names) -> Iterator[tuple[str, int]]:
    """Modules that are imported below a node, with their lines."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and names.dotted(child.test) in TYPING:
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.module, child.lineno
        elif isinstance(child, ast.Call) and names.dotted(child.func) in IMPORTERS:
            yield from ((names.text(names.unwrapped(value)) or "", child.lineno) for value in child.args[:1])
        yield from _imported(child, names)


@rule("offline-unsafe", "warning", "A revision can be rendered as SQL")
def offline_unsafe(source: RevisionSource) -> Iterator[Breach]:
    """Find uses of the result of a statement, in projects whose env.py supports --sql.

    Why: with --sql there is no database, so the result is None and the script is incomplete
    Fix: write one SQL statement, or check context.is_offline_mode()
    """
    for function in source.functions if source.offline else []:
        guarded = any(
            isinstance(node, ast.Attribute) and node.attr in ("is_offline_mode", "as_sql")
            for node in ast.walk(function)
        )
        asks = [] if guarded else [call for call in _used(function) if _asks(call, source)]
        if asks:
            message = f"{function.name}() uses the result of {ast.unparse(asks[0])}"
            yield Breach(function.name, message, line=asks[0].lineno)


def _used(function: ast.FunctionDef) -> list[ast.Call]:
    """The calls whose value is not thrown away."""
    thrown = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Expr)}
    return [call for call in calls(function) if id(call) not in thrown]


def _asks(call: ast.Call, source: RevisionSource) -> bool:
    """Return whether a call reads from the database: a statement on the bind, or an inspector of it."""
    name = source.names.dotted(call.func)
    if name.startswith("sqlalchemy.") and name.endswith("inspect"):
        return any(source.names.dotted(value).startswith(SERVER) for value in call.args)
    return name.startswith(SERVER) and name.rpartition(".")[2] in SENDERS


@rule("time-or-random-in-revision", "warning", "A revision has the same result everywhere")
def time_or_random(source: RevisionSource) -> Iterator[Breach]:
    """Find the clock and random values, unless seeded or not sent to the database.

    Why: every environment gets different rows, so no test can show what production will contain
    Fix: write the value into the file, or let the database compute it: now(), gen_random_uuid()
    """
    harmless = {id(inner) for node in _without_effect(source.tree) for inner in calls(node)}
    seeded = any(source.names.dotted(call.func) == "random.seed" and call.args for call in calls(source.tree))
    seen: set[str] = set()
    for call in calls(source.tree):
        name = source.names.dotted(call.func)
        if not is_chance(name) or id(call) in harmless or (seeded and name.startswith("random.")) or name in seen:
            continue
        seen.add(name)
        yield Breach(name, f"it calls {name}()", line=call.lineno)


def _without_effect(tree: ast.Module) -> Iterator[ast.expr]:
    """What is printed or logged, and the defaults of columns that only an ORM would use."""
    for call in calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in TELLING:
            yield call
        elif name == "Column":
            yield from (word.value for word in call.keywords if word.arg in ("default", "onupdate"))
