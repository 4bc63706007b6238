"""The exemptions that a revision file states about itself.

    exemptions = {"drop-column:public.account.age": "unused since release 41, see PR 812"}

The file is read, not run: the value must be a literal, so that a broken revision can still be judged.
"""

from __future__ import annotations

import ast
from pathlib import Path

from harness.errors import HarnessError
from harness.findings import Exemption
from harness.frames import shown
from harness.rules import catalogue

NAMES = ("exemptions", "hazards")
"""The word, and the one that stood for it before."""

EXAMPLE = 'exemptions = {"drop-column:public.account.age": "unused since release 41, see PR 812"}'


def read_exemptions(path: Path, *, released: bool = False) -> list[Exemption]:
    """Return the exemptions of one revision file, in its order; none when it states none.

    Those for rules over the released history are judged with all revisions together: `released` asks for them alone.

    Raises:
        HarnessError: for a file that cannot be read, and for a value that is not a dictionary of `"rule:object"` to
            reason, with the line and what was found there.
    """
    value = _assigned(path)
    if value is None:
        return []
    if not isinstance(value, ast.Dict):
        raise _mistake(path, value, "is not a dictionary")
    exemptions: dict[tuple[str, str], Exemption] = {}
    for key, reason in zip(value.keys, value.values, strict=True):
        exemption = _exemption(path, key or reason, key, reason)
        if (exemption.rule, exemption.object) in exemptions:
            raise _mistake(path, key or reason, f"names {exemption.rule}:{exemption.object} twice")
        exemptions[exemption.rule, exemption.object] = exemption
    history = {check.id for check in catalogue("migrations", "git")}
    return [item for item in exemptions.values() if (item.rule in history) is released]


def parse(path: Path) -> ast.Module:
    """Return the tree of a revision file.

    Raises:
        HarnessError: when it cannot be read or is not Python.
    """
    try:
        return ast.parse(path.read_bytes(), str(path))
    except OSError as error:
        raise HarnessError(
            f"the revision {path} cannot be read: {error.strerror}", remedy="make the file readable"
        ) from error
    except (SyntaxError, ValueError) as error:
        raise HarnessError(f"the revision {path} is not valid Python: {error}", remedy="correct the file") from error


def assignment(node: ast.stmt, name: str) -> ast.expr | None:
    """Return the value that a statement assigns to `name`, annotated or not."""
    if isinstance(node, ast.AnnAssign):
        return node.value if isinstance(node.target, ast.Name) and node.target.id == name else None
    if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
        return node.value
    return None


def _assigned(path: Path) -> ast.expr | None:
    pairs = [(node, name) for node in parse(path).body for name in NAMES]
    values = [value for node, name in pairs if (value := assignment(node, name)) is not None]
    if len(values) > 1:
        raise _mistake(path, values[1], "is assigned a second time")
    return values[0] if values else None


def _exemption(path: Path, where: ast.expr, key: ast.expr | None, reason: ast.expr) -> Exemption:
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        raise _mistake(path, where, "has a key that is not a string literal")
    if not isinstance(reason, ast.Constant) or not isinstance(reason.value, str):
        raise _mistake(path, reason, f"has no string literal as the reason of {key.value!r}")
    rule, _, place = (part.strip() for part in key.value.partition(":"))
    if not rule or not place:
        raise _mistake(path, where, f"has the key {key.value!r}, which is not rule:object")
    try:
        return Exemption(rule, place, reason.value, shown(path))
    except ValueError as error:
        raise _mistake(path, where, f"is refused: {error}") from error


def _mistake(path: Path, node: ast.expr, problem: str) -> HarnessError:
    return HarnessError(f"{path}, line {node.lineno}: exemptions {problem}", remedy=f"write it like this: {EXAMPLE}")
