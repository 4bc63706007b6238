"""Where an object of the schema is declared: the line of its model, else of the first revision that names it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from alembic.script import ScriptDirectory

from harness.alembic_config import alembic_config
from harness.config import Config, load_object
from harness.findings import Finding, relative

OBJECT = re.compile(r"[\w$]+\.([\w$]+)(?:[.(]([\w$]+))?")
"""`schema.table`, `schema.table.part` or `schema.table(column, …)` in the object of a finding."""


def located(findings: Iterable[Finding], config: Config) -> list[Finding]:
    """Return the findings, with file and line where they name an object that the project declares."""
    places = Declarations(config)
    return [item if item.file else places.locate(item) for item in findings]


@dataclass
class Declarations:
    """The models and revisions of a project, read when a finding first needs them."""

    config: Config

    def locate(self, finding: Finding) -> Finding:
        """Return the finding with the place of the first object that is found of those that it names."""
        names = [(found[1], found[2] or "") for found in OBJECT.finditer(finding.object)]
        for find in (self._model, self._revision):
            for path, line in filter(None, (find(*name) for name in names)):
                return replace(finding, file=relative(path, self.config.root), line=line)
        return finding

    def _model(self, table: str, part: str) -> tuple[Path, int] | None:
        """Return the line of a part, or of the column that its name mentions, or else of the table."""
        if table not in self._models:
            return None
        path, node = self._models[table]
        words = [item for item in _words(node) if item[0] != table and f"_{item[0]}_" in f"_{part}_"]
        _, line = max(words, key=lambda item: len(item[0]), default=("", node.lineno))
        return path, line

    def _revision(self, table: str, part: str) -> tuple[Path, int] | None:
        """Return the line of the first revision that names both, the part after the table."""
        for path, lines in self._revisions:
            named = [number for number, text in enumerate(lines, 1) if re.search(rf"\b{re.escape(table)}\b", text)]
            following = enumerate(lines[named[0] - 1 :], named[0]) if named else ()
            for number, text in following:
                if re.search(rf"\b{re.escape(part or table)}\b", text):
                    return path, number
        return None

    @cached_property
    def _models(self) -> dict[str, tuple[Path, ast.ClassDef | ast.Call]]:
        """The mapped classes and Table(...) calls in the package of the metadata, by the table's name."""
        load_object(self.config.metadata)
        package = self.config.metadata.partition(":")[0].partition(".")[0]
        modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == package]
        paths = [Path(file) for module in modules if (file := getattr(module, "__file__", None))]
        return {
            table: (path, node)
            for path in paths
            for child in ast.walk(ast.parse(path.read_bytes()))
            for table, node in _declared(child)
        }

    @cached_property
    def _revisions(self) -> list[tuple[Path, list[str]]]:
        """The revision files and their lines, the oldest first."""
        scripts = ScriptDirectory.from_config(alembic_config(self.config)).walk_revisions()
        paths = [Path(script.path) for script in scripts]
        return [(path, path.read_text(encoding="utf-8").splitlines()) for path in reversed(paths)]


def _declared(node: ast.AST) -> Iterator[tuple[str, ast.ClassDef | ast.Call]]:
    """Yield the table that a class or a call declares, where its name is written there."""
    named: list[ast.expr] = []
    if isinstance(node, ast.ClassDef):
        assigned = [child for child in node.body if isinstance(child, ast.Assign)]
        named = [child.value for child in assigned if ast.unparse(child.targets[0]) == "__tablename__"]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Table":
        named = node.args[:1]
    for value in named:
        if isinstance(value, ast.Constant) and isinstance(node, ast.ClassDef | ast.Call):
            yield str(value.value), node


def _words(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the attributes and the names in quotes below a declaration, with their lines."""
    for child in ast.walk(node):
        if isinstance(child, ast.AnnAssign | ast.Assign):
            target = child.target if isinstance(child, ast.AnnAssign) else child.targets[0]
            yield getattr(target, "id", "-"), child.lineno
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value.isidentifier():
            yield child.value, child.lineno
