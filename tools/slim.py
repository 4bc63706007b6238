"""Remove the sample: the app then serves only its probes and metrics, and its schema has no table.

One new revision replaces the history. tools/sample.py lists what belongs to the sample.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.alembic_config import head_file
from harness.config import load_config
from harness.errors import HarnessError
from tools.cli import error_exit
from tools.head import write_head
from tools.rename import check_clean, prune, read_name, tidy, tracked
from tools.sample import CHANGED, GONE, MENTIONED, START, WRITTEN, Change

ROOT = Path(__file__).resolve().parent.parent

ONCE = "tests/template/test_slim.py"
"""The test of slim, which works only once."""


def cut(text: str, names: tuple[str, ...]) -> str:
    """Return a module's text without these top-level functions, classes and constants, and without their docs.

    Raises:
        ValueError: for a name that the module does not define, with the name.
    """
    body = ast.parse(text).body
    lines = text.splitlines(keepends=True)
    missing = set(names)
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not (found := defined(node) & set(names)):
            continue
        missing -= found
        last = following if following and is_text(following) else node
        for number in range(first_line(node) - 1, last.end_lineno or 0):
            lines[number] = ""
    if missing:
        raise ValueError(min(missing))
    return "".join(lines)


def defined(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def first_line(node: ast.stmt) -> int:
    """Return the first line of a statement, including its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def is_text(node: ast.stmt) -> bool:
    """Return whether a statement is only a string, like the docs of a constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def changed(text: str, change: Change, package: str) -> str:
    """Return a file's text without the sample.

    Raises:
        ValueError: for a text that the file does not have, with its first line.
    """
    text = cut(text, change.without) if change.without else text
    for old, new in (change.instead or {}).items():
        sample = old.replace("PACKAGE", package)
        if sample not in text:
            raise ValueError(sample.strip().partition("\n")[0])
        text = text.replace(sample, new.replace("PACKAGE", package))
    return text


def contents(root: Path, package: str) -> Iterator[tuple[str, str]]:
    """Yield each file that changes, with its new text.

    Raises:
        HarnessError: when a file was removed, or lacks a text of the sample.
    """
    for name, change in CHANGED.items():
        path = name.replace("PACKAGE", package)
        try:
            yield path, changed((root / path).read_text(encoding="utf-8"), change, package)
        except OSError:
            raise missing(path) from None
        except ValueError as error:
            problem = f"{path} was changed: it does not contain {error}"
            raise HarnessError(problem, looked_at="tools/sample.py", remedy="remove the sample by hand") from None
    for name, mention in MENTIONED.items():
        if (root / name).exists():
            yield name, re.sub(mention, "", (root / name).read_text(encoding="utf-8"))
    yield from WRITTEN.items()


def missing(path: str) -> HarnessError:
    """Return the error for a file of the sample that does not exist."""
    remedy = "remove the rest of the sample by hand, unless slim has removed it already"
    return HarnessError(f"{path} of the sample does not exist", looked_at="tools/sample.py", remedy=remedy)


def gone(root: Path, package: str) -> list[str]:
    """Return the files that belong only to the sample.

    Raises:
        HarnessError: when one does not exist.
    """
    files = tracked(root)
    found = []
    for name in GONE:
        path = name.replace("PACKAGE", package)
        meant = [file for file in files if file == path or (path.endswith("/") and file.startswith(path))]
        if not meant:
            raise missing(path)
        found += meant
    return found


def slim(root: Path) -> list[str]:
    """Remove the sample from the project, and return the paths of the written files.

    Raises:
        HarnessError: when the work tree has changes or the sample was changed; nothing is changed then.
    """
    check_clean(root, "slim")
    package = read_name(root).snake
    leaving = gone(root, package)
    written = dict(contents(root, package))
    for path in leaving:
        (root / path).unlink()
        prune((root / path).parent)
    (root / ONCE).unlink(missing_ok=True)
    for path, text in written.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    write_head(head_file(load_config(root)), START)
    tidy(root, list(written))
    return list(written)


def main() -> None:
    """Remove the sample from the project that contains this file, and print what to do next."""
    with error_exit("slim"):
        if sys.argv[1:]:
            raise HarnessError("slim takes no arguments", remedy="nox -s slim")
        slim(ROOT)
    print(
        "slim: removed the sample; the history is one revision, 0001. Databases with the old tables must be created"
        "\n  again (python3 run.py dev --fresh). When the checks below have passed, review (git diff) and commit:"
        '\n  git add --all && git commit --message "Start without the sample"'
    )


if __name__ == "__main__":
    main()
