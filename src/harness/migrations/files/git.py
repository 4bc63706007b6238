"""What git knows of the files that other databases already ran; git's own program does the reading."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables that git sets for its hooks; a test run from one would read the hook's work tree."""


@dataclass(frozen=True, slots=True)
class Base:
    """The commit whose revisions count as released.

    `exact` is false when the clone is too shallow for a merge base and its tip is taken instead: that may hold
    revisions that this branch has not seen yet, so a missing one means nothing.
    """

    commit: str
    name: str
    exact: bool = True

    def __str__(self) -> str:
        """For messages."""
        return f"{self.name} at {self.commit[:12]}"


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree, by its top directory."""

    root: Path

    @classmethod
    def around(cls, path: Path) -> Repository | str:
        """Return the work tree that holds `path`, or why there is none, in git's words."""
        while not path.is_dir():
            path = path.parent
        try:
            result = cls(path).run("rev-parse", "--show-toplevel")
        except OSError as error:
            return f"git cannot be run ({error.strerror})"
        if result.returncode:
            return os.fsdecode(result.stderr).partition("\n")[0] or f"{path} is in no git work tree"
        return cls(Path(os.fsdecode(result.stdout).removesuffix("\n")).resolve())

    def base(self, environment: Mapping[str, str]) -> Base | str:
        """Return the merge base with the branch that revisions are released from, or why there is none.

        In a pull request that is its target (GITHUB_BASE_REF, CI_MERGE_REQUEST_TARGET_BRANCH_NAME), else the default
        branch of the remote, or where no remote is called origin, the local one.

        Raises:
            HarnessError: when the pull request's target is not in the clone.
        """
        target = environment.get("GITHUB_BASE_REF") or environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
        branch = f"origin/{target}" if target else "origin/HEAD"
        tip = self.commit(f"refs/remotes/{branch}")
        if tip is None and target:
            raise HarnessError(
                "released revisions cannot be compared: the target of this pull request is not in the clone",
                looked_at=f"{branch} in {self.root}",
                remedy="use actions/checkout with fetch-depth: 0, GitLab with GIT_DEPTH: 0, or "
                f"git fetch origin {target}:refs/remotes/{branch}",
            )
        if tip is None and not self.has_origin() and (others := self.default_branches()):
            branch, tip = others[0], self.commit(f"refs/heads/{others[0]}")
        if tip is None:
            return f"origin/HEAD is not set; to set it: {self.remedy()}"
        merge_base = self.ask("merge-base", "HEAD", tip)
        return Base(merge_base or tip, branch, exact=merge_base is not None)

    def default_branches(self) -> list[str]:
        """Return the local branches that others start from, without the current one."""
        current = self.ask("symbolic-ref", "--quiet", "--short", "HEAD")
        names = dict.fromkeys((self.ask("config", "init.defaultBranch"), "main", "master"))
        return [name for name in names if name and name != current and self.commit(f"refs/heads/{name}")]

    def has_origin(self) -> bool:
        """Return whether a remote is called origin."""
        return "origin" in (self.ask("remote") or "").splitlines()

    def remedy(self) -> str:
        """Return the commands that make the remote's default branch known."""
        added = "" if self.has_origin() else "git remote add origin URL && git fetch origin && "
        return f"{added}git remote set-head origin --auto"

    def commit(self, name: str) -> str | None:
        """Return the commit that a name stands for."""
        return self.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def files(self, commit: str, *, containing: str) -> list[str]:
        """Return the Python files of a commit that contain a word, relative to the top directory."""
        found = self.ask("grep", "-z", "-l", "-F", "-e", containing, commit, "--", "*.py")
        return [name.partition(":")[2] for name in (found or "").split("\0") if name]

    def content(self, commit: str, path: str) -> bytes:
        """Return a file of a commit."""
        return self.run("cat-file", "blob", f"{commit}:{path}").stdout

    def ask(self, *arguments: str) -> str | None:
        """Return what a git command prints, without the last newline; None when it fails."""
        result = self.run(*arguments)
        return os.fsdecode(result.stdout).removesuffix("\n") if result.returncode == 0 else None

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run git in this work tree, not in the one that a hook's environment names."""
        environment = {name: value for name, value in os.environ.items() if name not in HOOKS}
        command = ["git", "-C", str(self.root), *arguments]
        return subprocess.run(command, capture_output=True, check=False, env=environment)
