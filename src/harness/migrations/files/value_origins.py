"""Where the value of an expression comes from: the file, chance, the environment, a setting, the database."""

from __future__ import annotations

import ast

from harness.migrations.files.source import DEEPEST, SENDERS, Names

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

ENVIRONMENT = ("os.environ", "os.getenv", "socket.gethostname", "platform.", "sys.platform")
CONTEXTS = ("alembic.context", "alembic.op.get_context()")
SETTINGS = (".get_x_argument", ".config", ".is_offline_mode", ".as_sql", ".get_tag_argument")
SERVER = ("alembic.op.get_bind()", "alembic.op.get_context()")


def comes_from_outside(name: str, package: str) -> bool:
    """Return whether a name means the app, the environment, a setting, chance, or an answer of the database."""
    if name.partition(".")[0] == package or name.startswith(ENVIRONMENT) or is_chance(name.removesuffix("()")):
        return True
    return is_setting(name) or is_answer(name)


def is_setting(name: str) -> bool:
    """Return whether a full name means what Alembic was given: an argument, an option, its mode."""
    return name.startswith(CONTEXTS) and any(setting in name for setting in SETTINGS)


def is_answer(name: str) -> bool:
    """Return whether a full name means what the database answers."""
    return name.startswith(SERVER) and any(f".{sender}()" in name for sender in SENDERS)


def is_from_catalogue(node: ast.expr, names: Names) -> bool:
    """Return whether a value is the answer of a query on the system catalogue: a name, which no parameter can be."""
    for _ in range(DEEPEST):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDERS:
            query = names.text(names.unwrapped(node.args[0])) if node.args else None
            return "pg_" in (query or "") or "information_schema" in (query or "")
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Name) and (value := names.value(node.id)):
            node = value
    return False


def is_chance(name: str) -> bool:
    """Return whether a function gives something else on every run."""
    return name in CHANCE or (name.startswith(("random.", "secrets.")) and name != "random.Random")
