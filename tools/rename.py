"""Give the project its name: package, roles, services, manifests and documents, in files and file names.

The name has three forms: `acme_orders` for Python and PostgreSQL, `acme-orders` for the project, its services and
images, and a title for people. The harness and the released revisions do not contain the name and are not changed.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import keyword
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.config import load_config
from harness.errors import HarnessError
from harness.wording import plural
from tools.cli import error_exit

ROOT = Path(__file__).resolve().parent.parent

UNCHANGED = ("src/harness/", "tests/harness/", "migrations/versions/", "run.py")
"""Paths that do not contain the name: the template or the databases need them as they are."""

HISTORY = ("CHANGELOG.md", "LICENSE")
"""Files that keep the old name, because they are about the past."""

TEMPLATE_TESTS = "tests/template/"
"""Tests of the template, which a project does not have. The noxfile recognizes a project by that."""

README = """\
# TITLE

[![CI](../../actions/workflows/main.yaml/badge.svg)](../../actions/workflows/main.yaml)

A service on FastAPI and PostgreSQL. The app is in `src/PACKAGE`, the history of its schema in `migrations`, and how
it is deployed in `deploy`. The harness in `src/harness` judges the migrations, the schema and each request; what it
finds fails the tests.

You need Python 3.11 or newer with pip, on Linux or macOS; no Docker, and no installed Postgres:

```console
$ python3 run.py dev     # the API on http://127.0.0.1:8000/docs, with its own Postgres and sample data
$ python3 run.py         # all checks and tests that must pass before you push
```

[All pages](docs/README.md) · [a model, a revision and a route](docs/first-day.md#a-model) ·
[commands](docs/commands.md) · [fixtures](docs/fixtures.md) ·
[debug a failed test](docs/debugging-a-failed-test.md) · [CI](docs/ci.md) · [deploy](docs/deploying.md) ·
[operate](docs/operating.md) · [take the template's updates](docs/updating.md)
"""
"""The first README.md of a project, instead of the template's."""

OTHER_NAME = "choose another name"

MAX_LENGTH = 22
"""Characters. Google's service accounts have at most 30, Linux's users 32, and -migrate or _migrator is appended."""

SNAKE_BEFORE = re.compile(
    r"((src|tests)/|\b(from|import|packages?) |\bpython\W+m\W+|postgres(ql)?://\S*/|dbname=|database(=|:-|: )|_DB: )\Z",
    re.IGNORECASE,
)
SNAKE_AFTER = re.compile(r"_|\.[a-z]")
"""The text around a name of one word where Python or PostgreSQL reads it."""

KEBAB_FILES = re.compile(r"(deploy|docs|requirements|tests/deploy)/|Dockerfile|[^/]*\.md\Z|\.(github|devcontainer)/")
"""Files in which such a name is otherwise a service's."""


@dataclass(frozen=True, slots=True)
class Name:
    """A project's name: its Python form and its title."""

    snake: str
    title: str

    @property
    def kebab(self) -> str:
        """The form for services, images and the project."""
        return self.snake.replace("_", "-")

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern that finds each form, except inside a longer word."""
        forms = {self.title: "title", self.snake.upper(): "upper", self.kebab: "kebab", self.snake: "snake"}
        either = "|".join(f"(?P<{group}>{re.escape(form)})" for form, group in forms.items())
        return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])")


def title_of(snake: str) -> str:
    """Return `Acme Orders` for `acme_orders`."""
    return " ".join(word.capitalize() for word in snake.split("_"))


def read_name(root: Path) -> Name:
    """Return the current name: the package of `app` in pyproject.toml, and the title in its main.py.

    Raises:
        HarnessError: when main.py has no title.
    """
    package = load_config(root).app.partition(":")[0].partition(".")[0]
    path = root / "src" / package / "main.py"
    found = re.search(r'\btitle="([^"]+)"', path.read_text(encoding="utf-8"))
    if found is None:
        raise HarnessError(
            "the app has no title that rename could replace",
            looked_at=f'{path}: title="…"',
            remedy='pass a title to FastAPI in create_app: FastAPI(title="…")',
        )
    return Name(package, found[1])


def git(root: Path, *arguments: str) -> str:
    """Return the output of a git command.

    Raises:
        HarnessError: when the command fails, with git's message.
    """
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(
            f"git {arguments[0]} failed: {done.stderr.strip()}",
            looked_at=str(root),
            remedy="run it in a git repository with at least one commit",
        )
    return done.stdout


def tracked(root: Path) -> list[str]:
    """Return the files that git tracks, relative to the root, without symbolic links."""
    return [name for name in git(root, "ls-files", "-z").split("\0") if name and not (root / name).is_symlink()]


def check_clean(root: Path, command: str) -> None:
    """Raise HarnessError for a work tree with changes: they would be mixed with the command's."""
    if changes := git(root, "status", "--porcelain").splitlines():
        found = plural(len(changes), "changed or new file")
        raise HarnessError(
            f"{command} needs a work tree without changes, and this one has {found}",
            looked_at=f"git status: {', '.join(change[3:] for change in changes[:3])}",
            remedy="commit or stash them",
        )


def check_name(root: Path, old: Name, new: Name) -> None:
    """Raise HarnessError for a name that cannot be a package, a role and a service, or that is taken."""
    name = new.snake
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or not 2 <= len(name) <= MAX_LENGTH:
        rule = f"use 2 to {MAX_LENGTH} characters: a letter, then a-z, 0-9 and single _ (acme_orders)"
        raise HarnessError(f"{name!r} is not a valid name", remedy=rule)
    if not re.fullmatch(r"\w[\w .&+-]{0,59}", new.title):
        rule = "use up to 60 letters, digits, spaces and . & + - _"
        raise HarnessError(f"{new.title!r} is not a valid title", remedy=rule)
    if name == old.snake:
        problem = f"the project is already called {name!r}"
    elif keyword.iskeyword(name) or keyword.issoftkeyword(name):
        problem = f"{name!r} is a Python keyword"
    elif name == "pg" or name.startswith("pg_"):
        problem = f"{name!r} cannot be a role: PostgreSQL reserves names that begin with pg_"
    elif name in sys.stdlib_module_names or is_installed(root, new):
        problem = f"{name!r} is already a module, a package or a folder here"
    else:
        return
    raise HarnessError(problem, remedy=OTHER_NAME)


def is_installed(root: Path, name: Name) -> bool:
    """Return whether Python or pip knows something else by this name."""
    module = (root / name.snake).exists() or importlib.util.find_spec(name.snake) is not None
    return module or any(importlib.metadata.distributions(name=name.kebab))


def check_unchanged(root: Path, *names: Name) -> None:
    """Raise HarnessError for a name that occurs in a Python file that rename does not change."""
    for path in tracked(root):
        if path.startswith(UNCHANGED) and path.endswith(".py"):
            text = (root / path).read_text(encoding="utf-8").lower()
            for name in names:
                if name.snake in text or name.kebab in text:
                    raise HarnessError(
                        f"{name.snake!r} occurs in a file that rename leaves unchanged",
                        looked_at=path,
                        remedy="choose a longer name",
                    )


def check_targets(root: Path, old: Name, new: Name) -> None:
    """Raise HarnessError when a file would be moved onto another one."""
    for path in tracked(root):
        target = replaced("", path, old, new)
        if target != path and (root / target).exists():
            raise HarnessError(f"{path} cannot become {target}, which exists already", remedy=OTHER_NAME)


def replaced(path: str, text: str, old: Name, new: Name) -> str:
    """Return the text of the file `path` with the new name; for a path, pass it as `text` and `path` as ""."""

    def form(found: re.Match[str]) -> str:
        if found.lastgroup == "title":
            return new.title
        if found.lastgroup == "upper":
            return new.snake.upper()
        if "_" in old.snake:
            return new.kebab if found.lastgroup == "kebab" else new.snake
        return new.kebab if is_kebab(path, text, found) else new.snake

    return old.pattern.sub(form, text)


def is_kebab(path: str, text: str, found: re.Match[str]) -> bool:
    """Return whether this occurrence of a name of one word means the form with hyphens."""
    before, after = text[max(0, found.start() - 80) : found.start()], text[found.end() : found.end() + 20]
    if after.startswith("-") or (path == "pyproject.toml" and before.endswith('\nname = "')):
        return True
    snake = SNAKE_BEFORE.search(before) or SNAKE_AFTER.match(after)
    return KEBAB_FILES.match(path) is not None and not snake


def become_project(root: Path, name: Name) -> list[str]:
    """Remove the template's tests and write the project's README.md; return the removed paths, [] in a project."""
    removed = [path for path in tracked(root) if path.startswith(TEMPLATE_TESTS)]
    for path in removed:
        (root / path).unlink()
        prune((root / path).parent)
    if removed:
        text = README.replace("TITLE", name.title).replace("PACKAGE", name.snake)
        (root / "README.md").write_text(text, encoding="utf-8")
    return removed


def rewrite(root: Path, old: Name, new: Name) -> Iterator[str]:
    """Replace the name in files and file names, and yield the new path of each change."""
    for path in tracked(root):
        if path.startswith((*UNCHANGED, TEMPLATE_TESTS)) or path in HISTORY:
            continue
        content = changed = (root / path).read_bytes()
        with contextlib.suppress(UnicodeDecodeError):  # an image, say
            changed = replaced(path, content.decode(), old, new).encode()
        moved = replaced("", path, old, new)
        if (moved, changed) != (path, content):
            move(root, path, moved, changed)
            yield moved


def move(root: Path, path: str, moved: str, content: bytes) -> None:
    """Write a file's new content to its new path, keep its mode, and remove directories that become empty."""
    source, target = root / path, root / moved
    if path != moved:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        prune(source.parent)
    target.write_bytes(content)


def prune(folder: Path) -> None:
    """Remove a directory that holds only bytecode, and its parents if they do too."""
    if all(each.name == "__pycache__" for each in folder.iterdir()):
        shutil.rmtree(folder)
        prune(folder.parent)


def tidy(root: Path, paths: list[str]) -> None:
    """Sort the imports and wrap long lines again; add `noqa` to lines that remain too long."""
    files = [path for path in paths if path.endswith(".py")]
    for arguments in (
        ["check", "--quiet", "--select=I,F401", "--fix"],
        ["format", "--quiet"],
        ["check", "--quiet", "--select=E501", "--add-noqa=a long name"],
    ):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, *files], cwd=root, check=True)


def rename(root: Path, snake: str, title: str | None = None) -> tuple[list[str], list[str]]:
    """Rename the project, and return the paths of changed and of removed files.

    Raises:
        HarnessError: when the work tree has changes or the name cannot be used; nothing is changed then.
    """
    old, new = read_name(root), Name(snake, title or title_of(snake))
    check_name(root, old, new)
    check_unchanged(root, new, old)
    check_targets(root, old, new)
    check_clean(root, "rename")
    changed = list(rewrite(root, old, new))
    tidy(root, changed)
    return changed, become_project(root, new)


def main() -> None:
    """Rename the project that contains this file, and print what to do next."""
    parser = argparse.ArgumentParser(prog="rename", description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="the name in Python and PostgreSQL, such as acme_orders")
    parser.add_argument("--title", help="the name for people (default: the words of NAME, such as Acme Orders)")
    arguments = parser.parse_args()
    with error_exit("rename"):
        changed, removed = rename(ROOT, arguments.name, arguments.title)
    and_removed = f" and removed {len(removed)}, the template's own tests" if removed else ""
    print(
        f"rename: changed {plural(len(changed), 'file')}{and_removed}. "
        "When the checks below have passed, review them (git diff) and commit:"
        f'\n  git add --all && git commit --message "Rename to {arguments.name}"'
    )


if __name__ == "__main__":
    main()
