"""Give the clone the team's name: package, project, roles, manifests, documents and titles, in files and file names.

The name has three forms: `acme_orders` for Python and Postgres, `acme-orders` for the project, its services and
images, and a title for people. What is the harness's, and the released revisions, name nobody and stay as they are.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.config import load_config
from harness.errors import HarnessError

ROOT = Path(__file__).resolve().parent.parent

UNTOUCHED = ("src/harness/", "tests/harness/", "migrations/versions/", "run.py")
"""What does not name the project, so that it stays the template's or the databases'."""

HISTORY = ("CHANGELOG.md", "LICENSE")
"""What tells of the past, under the names of the past."""

ONCE = "tests/template/"
"""The tests of what is done to the template once: a project of one's own does not have them."""

LONGEST = 22
"""Letters: Google's service accounts have at most 30, Linux's users 32, and -migrate or _migrator is put behind it."""

SNAKE_BEFORE = re.compile(
    r"((src|tests)/|\b(from|import|python -m|packages?) |postgres(ql)?://\S*/|dbname=|database(=|:-|: )|_DB: )\Z",
    re.IGNORECASE,
)
SNAKE_AFTER = re.compile(r"_|\.(api|db|main|settings|observe|logs|metrics|door|schemas)\b")
"""Around a name of one word: where it is Python's or Postgres's."""

KEBAB_FILES = re.compile(r"(deploy|docs|requirements|tests/deploy)/|Dockerfile|[^/]*\.md\Z|\.(github|devcontainer)/")
"""Files in which it is a service's otherwise."""


@dataclass(frozen=True, slots=True)
class Name:
    """A project's name, by its Python form and its title."""

    snake: str
    title: str

    @property
    def kebab(self) -> str:
        """The form of services, images and the project."""
        return self.snake.replace("_", "-")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Any form of it that is not part of a longer word."""
        forms = {self.title: "title", self.snake.upper(): "upper", self.kebab: "kebab", self.snake: "snake"}
        either = "|".join(f"(?P<{group}>{re.escape(form)})" for form, group in forms.items())
        return re.compile(rf"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])")


def title_of(snake: str) -> str:
    """`Acme Orders` for `acme_orders`."""
    return " ".join(word.capitalize() for word in snake.split("_"))


def read_name(root: Path) -> Name:
    """The present name, as pyproject.toml has the package and the app its title.

    Raises:
        HarnessError: when the app's main.py has no title.
    """
    package = load_config(root).app.partition(":")[0].partition(".")[0]
    path = root / "src" / package / "main.py"
    found = re.search(r'\btitle="([^"]+)"', path.read_text(encoding="utf-8"))
    if found is None:
        raise HarnessError(f'{path} has no title="…": give create_app\'s FastAPI one, which rename can replace')
    return Name(package, found[1])


def git(root: Path, *arguments: str) -> str:
    """What a git command prints.

    Raises:
        HarnessError: when it fails, with its own words.
    """
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise HarnessError(f"git {arguments[0]} failed in {root}: {done.stderr.strip()}")
    return done.stdout


def tracked(root: Path) -> list[str]:
    """Every file that git has, relative to the root."""
    return [name for name in git(root, "ls-files", "-z").split("\0") if name and not (root / name).is_symlink()]


def check_clean(root: Path, command: str) -> None:
    """Refuse a work tree with changes in it, which could not be told from the command's own afterwards."""
    if changes := git(root, "status", "--porcelain").splitlines():
        first = changes[0][3:]
        raise HarnessError(f"{command} needs a clean tree, and {len(changes)} files are changed ({first}): commit them")


def check_name(root: Path, old: Name, new: Name) -> None:
    """Refuse a name that cannot be a package, a role and a service at once, or that means something here already."""
    name = new.snake
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or not 2 <= len(name) <= LONGEST:
        raise HarnessError(
            f"{name!r} is no name: 2 to {LONGEST} of a-z, 0-9 and single _, a letter first (acme_orders)"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise HarnessError(f"{name!r} is a word of Python: take another name")
    if name == "pg" or name.startswith("pg_"):
        raise HarnessError(f"{name!r}: roles that begin with pg_ are PostgreSQL's own: take another name")
    if name == old.snake:
        raise HarnessError(f"the project is {name!r} already")
    if name in sys.stdlib_module_names or is_installed(root, new):
        raise HarnessError(f"{name!r} is a module or package that is there already: take another name")
    if not re.fullmatch(r"\w[\w .&+-]{0,59}", new.title):
        raise HarnessError(f"{new.title!r} is no title: up to 60 letters, digits, spaces and . & + - _")


def is_installed(root: Path, name: Name) -> bool:
    """Whether Python would find something else under this name, or pip would."""
    if (root / name.snake).exists() or importlib.util.find_spec(name.snake):
        return True
    try:
        importlib.metadata.distribution(name.kebab)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def check_untouched(root: Path, name: Name) -> None:
    """Refuse a name that the harness's own examples, or the revisions, use for something else."""
    for path in tracked(root):
        if path.startswith(UNTOUCHED) and path.endswith(".py"):
            text = (root / path).read_text(encoding="utf-8").lower()
            if name.snake in text or name.kebab in text:
                raise HarnessError(f"{name.snake!r} is a word of {path}, which stays as it is: take a longer name")


def replaced(path: str, text: str, old: Name, new: Name) -> str:
    """The text of the file `path`, or a path itself, under the new name."""

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
    """Whether a name of one word stands where its form with hyphens belongs."""
    before, after = text[max(0, found.start() - 80) : found.start()], text[found.end() : found.end() + 20]
    if after.startswith("-") or (path == "pyproject.toml" and before.endswith('\nname = "')):
        return True
    snake = SNAKE_BEFORE.search(before) or SNAKE_AFTER.match(after)
    return KEBAB_FILES.match(path) is not None and not snake


def rewrite(root: Path, old: Name, new: Name) -> Iterator[str]:
    """Replace the name in every file and file name that may have it; the paths that have changed, as they are now."""
    for path in tracked(root):
        if path.startswith(UNTOUCHED) or path in HISTORY:
            continue
        if path.startswith(ONCE):
            (root / path).unlink()
            prune((root / path).parent)
            continue
        content = (root / path).read_bytes()
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = None
        moved = replaced("", path, old, new)
        changed = content if text is None else replaced(path, text, old, new).encode()
        if (moved, changed) != (path, content):
            move(root, path, moved, changed)
            yield moved


def move(root: Path, path: str, moved: str, content: bytes) -> None:
    """Write a file's new content at its new place, with its mode, and leave no empty directory at the former one."""
    source, target = root / path, root / moved
    if path != moved:
        if target.exists():
            raise HarnessError(f"{moved} is there already, so {path} cannot become it: take another name")
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        prune(source.parent)
    target.write_bytes(content)


def prune(folder: Path) -> None:
    """Remove a directory, and those above it, that hold nothing but bytecode."""
    caches = folder / "__pycache__"
    if all(each == caches for each in folder.iterdir()):
        for file in caches.glob("*.pyc"):
            file.unlink()
        if caches.exists():
            caches.rmdir()
        folder.rmdir()
        prune(folder.parent)


def tidy(root: Path, paths: list[str]) -> None:
    """Sort the imports, which stand in order of name, and wrap lines that have become too long; mark what cannot be."""
    files = [path for path in paths if path.endswith(".py")]
    for arguments in (
        ["check", "--quiet", "--select=I,F401", "--fix"],
        ["format", "--quiet"],
        ["check", "--quiet", "--select=E501", "--add-noqa=a long name"],
    ):
        subprocess.run([sys.executable, "-m", "ruff", *arguments, *files], cwd=root, check=True)


def rename(root: Path, snake: str, title: str | None = None) -> list[str]:
    """Rename the project; the paths that have changed.

    Raises:
        HarnessError: when the tree has changes or the name cannot be taken, before anything is touched.
    """
    old, new = read_name(root), Name(snake, title or title_of(snake))
    check_name(root, old, new)
    check_untouched(root, new)
    check_untouched(root, old)
    check_clean(root, "rename")
    for path in {replaced("", path, old, new) for path in tracked(root)} - set(tracked(root)):
        if (root / path).exists():
            raise HarnessError(f"{path} is there already: take another name")
    changed = list(rewrite(root, old, new))
    tidy(root, changed)
    return changed


def main() -> None:
    """Rename the project that this file lies in, and say what to do next."""
    parser = argparse.ArgumentParser(prog="rename", description=__doc__.partition("\n")[0])
    parser.add_argument("name", help="for Python and Postgres, such as acme_orders")
    parser.add_argument("--title", help="for people; else made of the name's words")
    arguments = parser.parse_args()
    try:
        changed = rename(ROOT, arguments.name, arguments.title)
    except HarnessError as error:
        sys.exit(f"rename: {error}")
    print(
        f"rename: {len(changed)} files name {arguments.name} now. Look with git diff, and when the checks have passed:"
        f'\n  git add --all && git commit --message "Rename to {arguments.name}"'
    )


if __name__ == "__main__":
    main()
