"""Put a branch's revisions after those of the branch that it is merged with: new numbers, in files and in head.py."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.alembic_config import head_file
from harness.config import Config
from harness.errors import HarnessError
from harness.frames import shown
from harness.migrations.files.exemptions import assignment
from harness.migrations.files.git import Repository
from harness.migrations.files.released import ReleasedRevision, read_revision
from tools.head import write_head

CONFLICT = re.compile(r"(?m)^<<<<<<< ")


@dataclass(frozen=True, slots=True)
class Branch:
    """The revisions of a work tree: those that stay as they are, and those to put after them, each in order."""

    fixed: list[ReleasedRevision]
    own: list[ReleasedRevision]


def renumber(config: Config) -> list[tuple[str, Path]]:
    """Give this branch's revisions the next numbers; return the id that each had, and its file.

    Raises:
        HarnessError: when another file has conflict markers, or git does not know which revisions are this branch's.
    """
    repository = Repository.around(config.root)
    if isinstance(repository, str):
        raise HarnessError(f"no revision was renumbered: {repository}", remedy="run in a git work tree")
    _refuse_conflicts(repository, head_file(config))
    branch = _read_branch(repository, config.migrations_path)
    listed = {item.id: Path(item.path).stem for item in branch.fixed}
    moves: list[tuple[ReleasedRevision, str, Path]] = []
    for item in branch.own:
        below = next(reversed(listed), None)
        name = _next_number(item.id, listed)
        old = Path(item.path)
        path = old.with_name(re.sub(rf"(?<![0-9A-Za-z]){re.escape(item.id)}(?![0-9A-Za-z])", name, old.name, count=1))
        old.write_text(_rewritten(old.read_text(encoding="utf-8"), name, below), encoding="utf-8")
        listed[name] = path.stem
        moves.append((item, name, path))
    for item, _, path in reversed(moves):
        Path(item.path).rename(path)
        _rename_mentions(repository, Path(item.path).stem, path.stem)
    write_head(head_file(config), listed)
    return [(item.id, path) for item, name, path in moves if item.id != name]


def _refuse_conflicts(repository: Repository, head: Path) -> None:
    """Refuse conflicts elsewhere: only those of head.py and of the diagram are resolved by what is run here."""
    names = (repository.ask("diff", "--name-only", "-z", "--diff-filter=U") or "").split("\0")
    unmerged = [repository.root / name for name in names if name.endswith(".py")]
    left = [path for path in unmerged if path != head.resolve() and path.is_file() and _has_conflict(path)]
    if left:
        raise HarnessError(
            "no revision was renumbered: files have conflict markers",
            looked_at=map(shown, left),
            remedy="resolve these conflicts first; that of head.py is resolved here",
        )


def _has_conflict(path: Path) -> bool:
    return CONFLICT.search(path.read_text(encoding="utf-8", errors="replace")) is not None


def _read_branch(repository: Repository, folder: Path) -> Branch:
    commits = _other_branch(repository)
    place = folder.resolve().relative_to(repository.root)
    names = [name for commit in commits for name in repository.files(commit, containing="down_revision")]
    known = {repository.root / name for name in names if Path(name).is_relative_to(place)}
    read = [read_revision(str(path), path.read_bytes()) for path in sorted(folder.resolve().rglob("*.py"))]
    current = [item for item in read if item]
    own = _ordered(item for item in current if Path(item.path) not in known)
    if not own:
        raise HarnessError(
            "no revision was renumbered: this branch has none",
            looked_at=f"the revisions of {', '.join(commit[:12] for commit in commits)}",
            remedy="run it on the branch that adds a revision, after the other one has been merged into it",
        )
    return Branch(_ordered(item for item in current if Path(item.path) in known), own)


def _other_branch(repository: Repository) -> list[str]:
    """Return the commits whose revisions stay as they are: the default branch, else this branch before the merge.

    Raises:
        HarnessError: when there is neither.
    """
    current = repository.ask("symbolic-ref", "--quiet", "--short", "HEAD")
    default = repository.ask("rev-parse", "--abbrev-ref", "origin/HEAD") or ""
    local = default.partition("/")[2]
    names = [default, *repository.default_branches(), *([local] if local != current else ())]
    commits = [repository.commit(name) for name in names if name]
    merging = repository.commit("MERGE_HEAD")
    before = "HEAD" if merging else "HEAD^1"
    if not any(commits) and (merging or repository.commit("HEAD^2")):
        commits = [repository.commit(before)]
    if found := list(dict.fromkeys(filter(None, commits))):
        return found
    raise HarnessError(
        "no revision was renumbered: it is not known which ones are this branch's",
        looked_at="origin/HEAD, main, and the parents of the last merge",
        remedy=repository.remedy(),
    )


def _ordered(revisions: Iterable[ReleasedRevision]) -> list[ReleasedRevision]:
    """Return revisions so that each comes after those that it is based on, else by the names of their files."""
    waiting = sorted(revisions, key=lambda item: Path(item.path).name)
    found: list[ReleasedRevision] = []
    while waiting:
        ready = [one for one in waiting if not {other.id for other in waiting if other is not one} & {*one.parents}]
        found += (ready or waiting)[:1]
        waiting.remove(found[-1])
    return found


def _next_number(name: str, listed: Mapping[str, str]) -> str:
    """Return the number after all that are listed; an id that is not a number keeps its value."""
    if not name.isdecimal():
        return name
    return f"{max((int(each) for each in listed if each.isdecimal()), default=0) + 1:0{len(name)}}"


def _rewritten(text: str, name: str, below: str | None) -> str:
    """Return a revision's text with its id and the one that it is based on, in the code and in the docstring."""
    for variable, value in (("revision", name), ("down_revision", below)):
        text = _assigned(text, variable, f'"{value}"' if value else "None")
    text = re.sub(r"(?m)^(Revision(?: ID)?: *).*$", rf"\g<1>{name}", text, count=1)
    return re.sub(r"(?m)^(Revises:).*$", f"\\g<1> {below or ''}".rstrip(), text, count=1)


def _assigned(text: str, variable: str, value: str) -> str:
    """Return a module's text with another value for a variable of its top level."""
    node = next(found for each in ast.parse(text).body if (found := assignment(each, variable)))
    lines = text.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, after = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    lines[first : last + 1] = [before + value.encode() + after]
    return b"".join(lines).decode()


def _rename_mentions(repository: Repository, old: str, new: str) -> None:
    """Write the new name of a file where other files of the project have the old one, except in prose."""
    found = repository.ask("grep", "-I", "-l", "-z", "-F", "-e", old, "--", ":!*.md") or ""
    for path in (repository.root / name for name in found.split("\0") if name):
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
