"""A revision file as it is read, not run: its functions, what its names stand for, and the SQL that it sends."""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.migrations.files.exemptions import assignment, parse

SENDERS = ("execute", "exec_driver_sql", "scalar", "scalars")
"""Methods of op, connections and sessions whose first argument is a statement."""

TEXTS = ("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.DDL", "sqlalchemy.sql.expression.text")
"""Functions that make a statement from a string."""

DEEPEST = 12
"""Variables followed to other variables, at most: a loop that feeds a variable to itself ends here."""


@dataclass(frozen=True)
class RevisionSource:
    """One revision file; `package` is the app's top-level package, `offline` whether env.py renders SQL (--sql)."""

    path: Path
    tree: ast.Module
    package: str
    offline: bool = False

    @cached_property
    def revision(self) -> str:
        """The revision's id; the file's name when it states none."""
        for node in self.tree.body:
            value = assignment(node, "revision")
            if isinstance(value, ast.Constant):
                return str(value.value)
        return self.path.stem

    @property
    def functions(self) -> list[ast.FunctionDef]:
        """The functions of the file; `upgrade`, `downgrade` and their helpers."""
        return [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]

    @cached_property
    def names(self) -> Names:
        """What the names of the file stand for."""
        return Names(self.tree)

    def statements(self, function: ast.FunctionDef) -> Iterator[tuple[ast.expr, str | None]]:
        """Yield the SQL that a function sends, as the expression and its text; None if the file does not hold it."""
        for call in calls(function):
            if isinstance(call.func, ast.Attribute) and call.func.attr in SENDERS and call.args:
                expression = self.names.unwrapped(call.args[0])
                yield expression, self.names.text(expression)


def read_source(path: Path, package: str, *, offline: bool = False) -> RevisionSource:
    """Parse a revision file.

    Raises:
        HarnessError: when it cannot be read or is not Python.
    """
    return RevisionSource(path, parse(path), package, offline)


def renders_offline(env: Path) -> bool:
    """Return whether an env.py serves `--sql`: it then configures a url or a dialect's name, too."""
    return any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "configure"
        and {"url", "dialect_name"} & {word.arg for word in call.keywords}
        for call in calls(parse(env))
    )


def calls(node: ast.AST) -> list[ast.Call]:
    """Return every call below a node, in the order of the text."""
    found = [child for child in ast.walk(node) if isinstance(child, ast.Call)]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def place(function: ast.FunctionDef, code: str) -> str:
    """Return the object of a finding inside a function, without the signs of a wildcard: an exemption has none."""
    return f"{function.name}.{code}".translate(dict.fromkeys(map(ord, "*%?")))


class Names:
    """What the names of one file stand for: imports, and the expressions that are assigned to variables.

    Functions are not kept apart: a name that has several different values stands for none of them, and one that is
    somewhere a parameter is no import.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.imports: dict[str, str] = {}
        self.values: defaultdict[str, list[ast.expr]] = defaultdict(list)
        for node in ast.walk(tree):
            self._import(node)
            self._assign(node)
        for node in ast.walk(tree):
            if isinstance(node, ast.arg):
                self.imports.pop(node.arg, None)

    def _import(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                self.imports[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                self.imports[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def _assign(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            self._bind(node.target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._bind(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind(node.optional_vars, node.context_expr)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        for child in ast.walk(target):
            if isinstance(child, ast.Name):
                self.values[child.id].append(value)

    def value(self, name: str) -> ast.expr | None:
        """Return the only expression that is assigned to a variable."""
        values = self.values.get(name, [])
        return values[0] if len({ast.dump(value) for value in values}) == 1 else None

    def dotted(self, node: ast.expr | None, depth: int = 0) -> str:
        """Return the full name of a chain such as `op.get_bind().dialect.name`, imports and variables resolved.

        Calls are written `()`. Empty for a chain that begins with a parameter or with no name at all.
        """
        if isinstance(node, ast.Attribute):
            start = self.dotted(node.value, depth)
            return f"{start}.{node.attr}" if start else ""
        if isinstance(node, ast.Call):
            start = self.dotted(node.func, depth)
            return f"{start}()" if start else ""
        if not isinstance(node, ast.Name):
            return ""
        if node.id in self.imports:
            return self.imports[node.id]
        if value := self.value(node.id):
            return self.dotted(value, depth + 1) if depth < DEEPEST else ""
        return f"builtins.{node.id}" if hasattr(builtins, node.id) else ""

    def unwrapped(self, node: ast.expr, depth: int = 0) -> ast.expr:
        """Return the expression behind a variable or a call of `sqlalchemy.text`."""
        if depth < DEEPEST:
            if isinstance(node, ast.Name) and (value := self.value(node.id)):
                return self.unwrapped(value, depth + 1)
            if isinstance(node, ast.Call) and node.args and self.dotted(node.func) in TEXTS:
                return self.unwrapped(node.args[0], depth + 1)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "bindparams":
                return self.unwrapped(node.func.value, depth + 1)
        return node

    def text(self, node: ast.expr) -> str | None:
        """Return the text of a string expression, an f-string's values written `{name}`; None for anything else."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.JoinedStr):
            return "".join(self._piece(value) for value in node.values)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self.text(node.left), self.text(node.right)
            return None if left is None or right is None else left + right
        return None

    def _piece(self, node: ast.expr) -> str:
        if isinstance(node, ast.FormattedValue):
            constant = self.unwrapped(node.value)
            return self.text(constant) or "{" + ast.unparse(node.value).translate({123: "(", 125: ")"}) + "}"
        return str(node.value) if isinstance(node, ast.Constant) else ""
