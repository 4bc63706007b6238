"""Where an object of the schema is declared: the line of its model, else of the first revision that names it."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from alembic.script import ScriptDirectory

from harness.alembic_config import alembic_config
from harness.config import Config, load_config, load_object
from harness.findings import Finding, relative

OBJECT = re.compile(r"[\w$]+\.([\w$]+)(?:[.(]([\w$]+))?")
"""`schema.table`, `schema.table.part` or `schema.table(column, …)` in the object of a finding."""

Place = tuple[Path, int]


def located(findings: Iterable[Finding], config: Config) -> list[Finding]:
    """Return the findings, with file and line where they name an object that the project declares."""
    return [item if item.file else _located(item, config) for item in findings]


def _located(finding: Finding, config: Config) -> Finding:
    names = [(found[1], found[2] or "") for found in OBJECT.finditer(finding.object)]
    places = (find(config, *name) for find in (_model, _revision) for name in names)
    path, line = next(filter(None, places), (None, 0))
    return replace(finding, file=relative(path, config.root), line=line) if path else finding


def _model(config: Config, table: str, part: str) -> Place | None:
    """Return the line of a part, or of the column that its name mentions, or else of the table."""
    path, node = _models(config.root, config.metadata).get(table, (None, None))
    if path is None or node is None:
        return None
    words = [item for item in _words(node) if item[0] != table and f"_{item[0]}_" in f"_{part}_"]
    return path, max(words, key=lambda item: len(item[0]), default=("", node.lineno))[1]


def _revision(config: Config, table: str, part: str) -> Place | None:
    """Return the line of the first revision that names both, the part after the table."""
    for path in _revisions(config.root):
        named = False
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            named = named or re.search(rf"\b{re.escape(table)}\b", text) is not None
            if named and re.search(rf"\b{re.escape(part or table)}\b", text):
                return path, number
    return None


@cache
def _models(_: Path, metadata: str) -> dict[str, tuple[Path, ast.ClassDef | ast.Call]]:
    """Return the mapped classes and Table(...) calls in the package of the metadata, by the table's name."""
    load_object(metadata)
    package = metadata.partition(":")[0].partition(".")[0]
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == package]
    paths = [Path(file) for module in modules if (file := getattr(module, "__file__", None))]
    nodes = ((path, node) for path in paths for node in ast.walk(ast.parse(path.read_bytes())))
    declared = ((path, node) for path, node in nodes if isinstance(node, ast.ClassDef | ast.Call))
    return {table: (path, node) for path, node in declared if (table := _table(node))}


@cache
def _revisions(root: Path) -> list[Path]:
    """Return the revision files, the oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config(load_config(root))).walk_revisions()
    return [Path(script.path) for script in scripts][::-1]


def _table(node: ast.ClassDef | ast.Call) -> str:
    """Return the table that a class or a call declares, where its name is written there; else nothing."""
    if isinstance(node, ast.Call):
        named = node.args[:1] if ast.unparse(node.func).rpartition(".")[2] == "Table" else []
    else:
        assigned = [child for child in node.body if isinstance(child, ast.Assign)]
        named = [child.value for child in assigned if ast.unparse(child.targets[0]) == "__tablename__"]
    return next((str(value.value) for value in named if isinstance(value, ast.Constant)), "")


def _words(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the attributes and the names in quotes below a declaration, with their lines."""
    for child in ast.walk(node):
        if isinstance(child, ast.AnnAssign | ast.Assign):
            yield ast.unparse(child.target if isinstance(child, ast.AnnAssign) else child.targets[0]), child.lineno
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value.isidentifier():
            yield child.value, child.lineno
