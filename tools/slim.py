"""Take the sample resource out: what is left serves its probes and metrics, on a schema without tables of its own.

History starts anew with one revision. tools/sample.py lists what belongs to the sample.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.config import load_config
from harness.errors import HarnessError
from tools.rename import check_clean, prune, read_name, tidy, tracked
from tools.revision import head_file, write_head
from tools.sample import CHANGED, GONE, MENTIONED, START, WRITTEN, Change

ROOT = Path(__file__).resolve().parent.parent

ONCE = "tests/template/test_slim.py"
"""A test of what can be done once only."""


def cut(text: str, names: tuple[str, ...]) -> str:
    """A module's text without these definitions of its top level: functions, classes and constants with their docs.

    Raises:
        ValueError: with the name that is not defined there.
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
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def first_line(node: ast.stmt) -> int:
    """The line on which a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is nothing but a text, as the docs of a constant are."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def changed(text: str, change: Change, package: str) -> str:
    """A file's text without the sample.

    Raises:
        ValueError: with what should be there and is not.
    """
    text = cut(text, change.without) if change.without else text
    for old, new in (change.instead or {}).items():
        sample = old.replace("PACKAGE", package)
        if sample not in text:
            raise ValueError(sample.strip().partition("\n")[0])
        text = text.replace(sample, new.replace("PACKAGE", package))
    return text


def contents(root: Path, package: str) -> Iterator[tuple[str, str]]:
    """Every file that stays but changes, with its text without the sample.

    Raises:
        HarnessError: when a file is not as the template has it.
    """
    for name, change in CHANGED.items():
        path = name.replace("PACKAGE", package)
        try:
            yield path, changed((root / path).read_text(encoding="utf-8"), change, package)
        except OSError:
            raise HarnessError(f"{path} is not here: has the sample been taken out already?") from None
        except ValueError as error:
            raise HarnessError(
                f"{path} has no {error}, which tools/sample.py takes out: remove the rest by hand"
            ) from None
    for name, mention in MENTIONED.items():
        if (root / name).exists():
            yield name, re.sub(mention, "", (root / name).read_text(encoding="utf-8"))
    yield from WRITTEN.items()


def gone(root: Path, package: str) -> list[str]:
    """Every file of the sample alone.

    Raises:
        HarnessError: when one is missing.
    """
    files = tracked(root)
    found = []
    for name in GONE:
        path = name.replace("PACKAGE", package)
        meant = [file for file in files if file == path or (path.endswith("/") and file.startswith(path))]
        if not meant:
            raise HarnessError(f"{path} is not here: has the sample been taken out already?")
        found += meant
    return found


def slim(root: Path) -> list[str]:
    """Take the sample out of the project; the paths that were written.

    Raises:
        HarnessError: when the tree has changes or the sample is not as it was, before anything is touched.
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
    """Slim the project that this file lies in, and say what to do next."""
    if sys.argv[1:]:
        sys.exit("slim: it takes no arguments")
    try:
        slim(ROOT)
    except HarnessError as error:
        sys.exit(f"slim: {error}")
    print(
        "slim: the sample is gone, and history starts anew with revision 0001. A database that has the former tables is"
        "\n  made again (python run.py dev --fresh). Look with git diff, and when the checks have passed:"
        '\n  git add --all && git commit --message "Start without the sample"'
    )


if __name__ == "__main__":
    main()
