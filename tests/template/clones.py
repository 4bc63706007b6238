"""Scratch clones of this repository, with its uncommitted changes, and programs that run in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")},
    **{f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}
"""Git without the user's configuration, and with a name for commits."""


def git(place: Path, *arguments: str) -> str:
    """Return the output of a git command in a clone."""
    command = ["git", "-C", str(place), *arguments]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


def commit_all(place: Path, message: str) -> str:
    """Commit all changes, and return the commit's id."""
    git(place, "add", "--all")
    git(place, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(place, "rev-parse", "HEAD").strip()


def copy(place: Path) -> Path:
    """Create a repository whose one commit holds every file here that git does not ignore."""
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        source = ROOT / name
        if name and source.is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place / name)
    git(place, "init", "--quiet", "--initial-branch=main")
    commit_all(place, "As it is")
    return place


def python_of(place: Path, *arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run this environment's Python on a clone's files, as its sessions would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("APP_", "PYTEST_"))}
    environment |= {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def passes(place: Path, *arguments: str) -> str:
    """Run a module that must succeed on a clone, and return its output."""
    done = python_of(place, "-m", *arguments)
    assert done.returncode == 0, f"python -m {' '.join(arguments)}\n{(done.stdout + done.stderr)[-6000:]}"
    return done.stdout
