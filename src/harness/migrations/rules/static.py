"""Rules that need nothing but the Python of a revision: what it imports, reads and leaves to chance."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from harness.findings import Finding, Rule
from harness.migrations.source import SENDERS, TEXTS, Names, Source, calls, place

IMPORTS_APP_MODELS = Rule(
    "imports-app-models",
    "error",
    "A revision imports nothing of the app",
    "the models move on and the revision does not: years later it fails, or does something else than it did",
    "state the tables inside the revision with sa.table() and sa.column()",
)
SQL_IN_FSTRING = Rule(
    "sql-in-fstring",
    "error",
    "A revision's SQL is made of what the file holds",
    "the revision does something else where the environment or the rows differ, so testing it proves nothing",
    "write the names into the file, and pass values as bound parameters",
)
OFFLINE_UNSAFE = Rule(
    "offline-unsafe",
    "warning",
    "A revision can be rendered as SQL where env.py offers it",
    "with --sql there is no database that could answer: the result is None and the script ends half written",
    "write it as one SQL statement, or guard it with context.is_offline_mode()",
)
TIME_OR_RANDOM = Rule(
    "time-or-random-in-revision",
    "warning",
    "A revision gives the same result wherever and whenever it runs",
    "every environment gets other rows, and no test can say what production will hold",
    "write the value into the file, or let the database make it: now(), gen_random_uuid()",
)
UNREACHED_BRANCH = Rule(
    "unreached-branch",
    "warning",
    "A revision does the same everywhere",
    "only the branch that a test takes can be observed; production may take the other",
    "write one path; two ways to deploy are two revisions",
)

CHANCE = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "os.urandom",
    "time.localtime",
    "time.time",
    "time.time_ns",
    "uuid.uuid1",
    "uuid.uuid4",
    "uuid.uuid6",
    "uuid.uuid7",
}
"""Functions of the standard library whose result differs from run to run; `random` and `secrets` besides."""

SURROUNDINGS = ("os.environ", "os.getenv", "socket.gethostname", "platform.", "sys.platform")
CONTEXTS = ("alembic.context", "alembic.op.get_context()")
SETTINGS = (".get_x_argument", ".config", ".is_offline_mode", ".as_sql", ".get_tag_argument")
OFFLINE = ("is_offline_mode()", ".as_sql")
ASKING = ("alembic.op.get_bind", "alembic.op.get_context", "alembic.op.f")
SERVER = ("alembic.op.get_bind()", "alembic.op.get_context()")


def imports_app_models(source: Source) -> Iterator[Finding]:
    """Judge each import of the app's package; one for the type checker alone never runs."""
    for name, line in sorted({*_imported(source.tree, source.names)}):
        if name.partition(".")[0] == source.package:
            message = f"line {line} imports {name}, which is the app of today, not that of this revision"
            yield Finding(IMPORTS_APP_MODELS, name, message, revision=source.revision)


def _imported(node: ast.AST, names: Names) -> Iterator[tuple[str, int]]:
    """Modules that are imported below a node, with their lines."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and names.dotted(child.test) in (
            "typing.TYPE_CHECKING",
            "typing_extensions.TYPE_CHECKING",
        ):
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.module, child.lineno
        elif isinstance(child, ast.Call) and names.dotted(child.func) in (
            "importlib.import_module",
            "builtins.__import__",
        ):
            yield from ((names.text(names.unwrapped(value)) or "", child.lineno) for value in child.args[:1])
        yield from _imported(child, names)


def sql_in_fstring(source: Source) -> Iterator[Finding]:
    """Judge text that is put together from the environment, from settings, from the clock or from rows.

    Constants, loops over constants and parameters of the file's own functions are what the file holds.
    """
    seen: set[tuple[str, str]] = set()
    for function in source.functions:
        for expression in _texts(source, function):
            origin = _foreign(expression, source)
            if origin and (function.name, origin) not in seen:
                seen.add((function.name, origin))
                message = f"{function.name}, line {expression.lineno}: the SQL holds {origin}, known only when it runs"
                yield Finding(
                    SQL_IN_FSTRING,
                    place(function, origin),
                    message,
                    revision=source.revision,
                    statement=source.names.text(expression),
                )


def _texts(source: Source, function: ast.FunctionDef) -> Iterator[ast.expr]:
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
    """Whether an expression is an f-string, `%`, `+` or `.format` on a string."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add) and (_is_string(node.left) or _is_put_together(node.left))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "format" and _is_string(node.func.value)
    return isinstance(node, ast.JoinedStr)


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _foreign(node: ast.expr, source: Source, followed: frozenset[str] = frozenset()) -> str | None:
    """The first part of an expression whose value the file does not hold."""
    name = source.names.dotted(node.value if isinstance(node, ast.Subscript) else node)
    if name and _comes_from_outside(name, source.package):
        return ast.unparse(node)
    if isinstance(node, ast.Name) and node.id not in followed:
        for value in source.names.values.get(node.id, []):
            if _foreign(value, source, followed | {node.id}):
                return node.id
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and (found := _foreign(child, source, followed)):
            return found
    return None


def _comes_from_outside(name: str, package: str) -> bool:
    """Whether a full name means the app, the surroundings, a setting, chance, or an answer of the database."""
    if name.partition(".")[0] == package or name.startswith(SURROUNDINGS) or _is_chance(name.removesuffix("()")):
        return True
    if name.startswith(CONTEXTS) and any(setting in name for setting in SETTINGS):
        return True
    return name.startswith(SERVER) and any(f".{sender}()" in name for sender in SENDERS)


def _is_chance(name: str) -> bool:
    return name in CHANCE or (name.startswith(("random.", "secrets.")) and name != "random.Random")


def offline_unsafe(source: Source) -> Iterator[Finding]:
    """Judge the use of what a statement returns; a function that asks for the mode knows what it does."""
    for function in source.functions if source.offline else []:
        guarded = any(
            isinstance(node, ast.Attribute) and node.attr in ("is_offline_mode", "as_sql")
            for node in ast.walk(function)
        )
        asks = [] if guarded else [call for call in _used(function) if _asks(call, source)]
        if asks:
            message = f"{function.name}, line {asks[0].lineno} uses the result of {ast.unparse(asks[0])}"
            yield Finding(OFFLINE_UNSAFE, function.name, message, revision=source.revision)


def _used(function: ast.FunctionDef) -> list[ast.Call]:
    """The calls whose value is not thrown away."""
    thrown = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.Expr)}
    return [call for call in calls(function) if id(call) not in thrown]


def _asks(call: ast.Call, source: Source) -> bool:
    """Whether a call reads from the database: a statement on the bind, or an inspector of it."""
    name = source.names.dotted(call.func)
    if name.startswith("sqlalchemy.") and name.endswith("inspect"):
        return any(source.names.dotted(value).startswith(SERVER) for value in call.args)
    return name.startswith(SERVER) and name.rpartition(".")[2] in SENDERS


def time_or_random(source: Source) -> Iterator[Finding]:
    """Judge the clock and chance, except where they are only printed and where chance is seeded."""
    told = {id(inner) for call in calls(source.tree) if _tells(call) for inner in calls(call)}
    seeded = any(source.names.dotted(call.func) == "random.seed" and call.args for call in calls(source.tree))
    seen: set[str] = set()
    for call in calls(source.tree):
        name = source.names.dotted(call.func)
        if not _is_chance(name) or id(call) in told or (seeded and name.startswith("random.")) or name in seen:
            continue
        seen.add(name)
        yield Finding(TIME_OR_RANDOM, name, f"line {call.lineno} calls {name}()", revision=source.revision)


def _tells(call: ast.Call) -> bool:
    """Whether a call prints or logs."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "print"
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("debug", "info", "warning", "error", "log")


def unreached_branch(source: Source) -> Iterator[Finding]:
    """Judge conditions on settings, surroundings and the server's version that decide what the revision does.

    A condition on what the database holds, or on the kind of database, is the same in a test and in production; one
    on offline mode matters when each way does something.
    """
    for function in source.functions:
        for node in ast.walk(function):
            if not isinstance(node, ast.If | ast.IfExp | ast.While) or not (cause := _decides(node.test, source)):
                continue
            branches = [_operates(branch, source) for branch in _branches(node)]
            offline = cause.endswith(OFFLINE)
            if all(branches) if offline else any(branches) or _ends_early(node):
                message = f"{function.name}, line {node.lineno}: {cause} decides what the revision does"
                yield Finding(UNREACHED_BRANCH, place(function, cause), message, revision=source.revision)


def _decides(test: ast.expr, source: Source) -> str | None:
    """The part of a condition that another environment may answer otherwise."""
    for node in ast.walk(test):
        name = source.names.dotted(node) if isinstance(node, ast.expr) else ""
        if name.startswith(SURROUNDINGS) or "server_version_info" in name:
            return ast.unparse(node)
        if name.startswith(CONTEXTS) and any(setting in name for setting in SETTINGS):
            return ast.unparse(node)
    return None


def _branches(node: ast.If | ast.IfExp | ast.While) -> list[list[ast.AST]]:
    """What runs when the condition holds, and what runs when it does not."""
    return [[node.body], [node.orelse]] if isinstance(node, ast.IfExp) else [[*node.body], [*node.orelse]]


def _operates(branch: list[ast.AST], source: Source) -> bool:
    """Whether a branch calls an operation; asking for the connection is none."""
    names = (source.names.dotted(call.func) for node in branch for call in calls(node))
    return any(name.startswith("alembic.op.") and name not in ASKING for name in names)


def _ends_early(node: ast.If | ast.IfExp | ast.While) -> bool:
    return isinstance(node, ast.If) and any(isinstance(each, ast.Return) for each in [*node.body, *node.orelse])
