"""Released revisions.

Released is what the merge base with the default branch holds. A revision is known by its id, wherever its file lies,
and compared by its code: comments, docstrings, layout, `exemptions` and `replaces` may change.

History may start again with a first revision that names every released one:

    replaces = ("0001", "0002")

Databases that ran those have to be made again. Once that revision is released, it does not change either.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.findings import Finding, relative
from harness.migrations.files.exemptions import NAMES, assignment
from harness.migrations.files.git import Base, Repository
from harness.rules import Breach, rule
from harness.wording import plural

REPLACES = "replaces"


@dataclass(frozen=True, slots=True)
class ReleasedRevision:
    """One revision as its file states it; `digest` is of its code, `replaces` what it starts history in place of."""

    id: str
    parents: tuple[str, ...]
    digest: str
    path: str
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleasedHistory:
    """The revisions that are released, those that are here now, each by its id, and what the former were read from."""

    released: Mapping[str, ReleasedRevision]
    current: Mapping[str, ReleasedRevision]
    base: Base


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the history breaks, and a note on what it was compared with, or why with nothing.

    `compared` says whether there was something to compare with, so that an exemption can be stale.
    """

    findings: tuple[Finding, ...]
    note: str
    compared: bool = False


def compare_with_released(folders: Iterable[Path], environment: Mapping[str, str]) -> Comparison:
    """Compare the revision files below `folders` with those of the merge base, uncommitted changes included.

    `environment` tells a pull request's target branch in CI.

    Raises:
        HarnessError: in a pull request whose target branch the clone does not hold, with the remedy.
    """
    folders = [folder.resolve() for folder in folders]
    repository = Repository.around(folders[0])
    base = repository if isinstance(repository, str) else repository.base(environment)
    if isinstance(repository, str) or isinstance(base, str):
        return Comparison((), f"released revisions not compared: {base}")
    released = _released(repository, base, folders)
    current = {item.id: item for folder in folders for item in _read_all(_files(folder))}
    if start := _restart(released, current):
        note = (
            f"history starts again with {start.id}, instead of {plural(len(released), 'released revision')} of {base}"
        )
        return Comparison((), note)
    history = ReleasedHistory(released, current, base)
    findings = [
        replace(item, revision=item.object, file=relative(Path(current[item.object].path), repository.root))
        if item.object in current
        else replace(item, revision=item.object)
        for item in (*edited_history(history), *non_linear(history))
    ]
    return Comparison(
        tuple(findings), f"{plural(len(released), 'released revision')} compared with {base}", compared=True
    )


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*.py")):
        yield str(path), path.read_bytes()


def _released(repository: Repository, base: Base, folders: list[Path]) -> dict[str, ReleasedRevision]:
    """The revisions of the merge base, in whatever directory; `folders` decide which history is ours.

    A repository may hold the histories of several databases, and a history may have moved. So all files of the base
    that are in our folders count, and of the others those whose id we have and no file in our folders had.
    """
    ours = {item.id for folder in folders for item in _read_all(_files(folder))}
    here = tuple(f"{folder.relative_to(repository.root).as_posix()}/" for folder in folders)
    files = repository.files(base.commit, containing="down_revision")
    found = [*_read_all((path, repository.content(base.commit, path)) for path in files)]
    moved = {item.id: item for item in found if item.id in ours}
    return moved | {item.id: item for item in found if item.path.startswith(here)}


def _read_all(files: Iterable[tuple[str, bytes]]) -> Iterator[ReleasedRevision]:
    for path, content in files:
        if revision := read_revision(path, content):
            yield revision


def read_revision(path: str, content: bytes) -> ReleasedRevision | None:
    """Return the revision in the bytes of a file; None if there is none, or the file is not Python."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return None
    name = _literal(tree, "revision")
    if not isinstance(name, str) or not any(assignment(node, "down_revision") for node in tree.body):
        return None
    parents = [*_names(_literal(tree, "down_revision")), *_names(_literal(tree, "depends_on"))]
    return ReleasedRevision(name, tuple(parents), _digest(tree), path, tuple(_names(_literal(tree, REPLACES))))


def _literal(tree: ast.Module, name: str) -> object:
    for node in tree.body:
        value = assignment(node, name)
        if value is not None:
            try:
                return ast.literal_eval(value)
            except ValueError:
                return None
    return None


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, tuple | list | set) else []


def _digest(tree: ast.Module) -> str:
    """Of the code that runs: the exemptions, what it replaces and the docstrings are left out."""
    body = [node for node in tree.body if all(assignment(node, name) is None for name in (*NAMES, REPLACES))]
    module = ast.Module(body, type_ignores=[])
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(module).encode()).hexdigest()


def _restart(
    released: Mapping[str, ReleasedRevision], current: Mapping[str, ReleasedRevision]
) -> ReleasedRevision | None:
    """The only first revision, where it replaces all that is released and has not been released as that itself."""
    firsts = [item for item in current.values() if not item.parents]
    if not released or len(firsts) != 1 or not {*released} <= {*firsts[0].replaces}:
        return None
    known = released.get(firsts[0].id)
    return None if known and known.replaces else firsts[0]


@rule("edited-history", "error", "A released revision does not change")
def edited_history(history: ReleasedHistory) -> Iterator[Breach]:
    """Find released revisions that were edited or removed.

    Why: databases that have run the revision will never run the change, so they differ from those that run it later
    Fix: restore the released file, and write a new revision with the change
    """
    base = history.base
    for name, revision in history.released.items():
        now = history.current.get(name)
        if now is None and not base.exact:
            continue
        if now is None:
            message = f"{revision.path} is in {base} and not here"
        elif now.digest != revision.digest:
            message = f"{now.path} differs from {base}"
        else:
            continue
        fix = f"git checkout {base.commit[:12]} -- {revision.path}"
        yield Breach(name, message, fix)


@rule("non-linear", "error", "A new revision comes after every released one")
def non_linear(history: ReleasedHistory) -> Iterator[Breach]:
    """Find new revisions that do not come after the released head.

    Why: production is already at the released head, so the revision runs in an order that was not tested
    Fix: set its down_revision to the released head
    """
    released, current = history.released, history.current
    inner = {parent for revision in released.values() for parent in revision.parents}
    heads = [name for name in released if name not in inner]
    for name, revision in current.items():
        if heads and name not in released and not _ancestors(name, current) & {*heads}:
            below = ", ".join(revision.parents) or "nothing"
            message = f"{revision.path} comes after {below}, not after the head {', '.join(heads)} of {history.base}"
            yield Breach(name, message, f'down_revision = "{heads[0]}"')


def _ancestors(name: str, revisions: Mapping[str, ReleasedRevision]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        revision = revisions.get(waiting.pop())
        new = set(revision.parents) - found if revision else set()
        found |= new
        waiting += new
    return found
