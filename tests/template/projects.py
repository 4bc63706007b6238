"""Projects made from the template, each of a shape: what a folder of `shapes` adds, and what its shape.toml changes."""

from __future__ import annotations

import json
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config import load_config
from tests.template.clones import commit_all, copy, python_of
from tools.head import update_head
from tools.rename import rename
from tools.slim import slim

NAME = "quill"
"""The package of every such project."""

SHAPES = Path(__file__).with_name("shapes")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run of pytest: its exit code, what it printed, and the findings of its report."""

    code: int
    output: str
    findings: list[dict[str, Any]]


def bare_project(place: Path) -> Path:
    """Create a project as a team begins it: the template, renamed, without the sample."""
    copy(place)
    rename(place, NAME)
    commit_all(place, "Rename")
    slim(place)
    commit_all(place, "Start without the sample")
    return place


def shaped_project(bare: Path, place: Path, shape: str) -> Path:
    """Create a project of a shape out of a bare one."""
    shutil.copytree(bare, place, symlinks=True)
    added = shutil.ignore_patterns("shape.toml", "__pycache__")
    shutil.copytree(SHAPES / shape, place, dirs_exist_ok=True, ignore=added)
    for change in described(shape).get("edit", []):
        edit(place, change)
    update_head(load_config(place))
    commit_all(place, f"The shape {shape}")
    return place


def described(shape: str) -> dict[str, Any]:
    """Return the content of a shape's shape.toml."""
    return tomllib.loads((SHAPES / shape / "shape.toml").read_text(encoding="utf-8"))


def edit(place: Path, change: dict[str, str]) -> None:
    """Write `new` in place of `old`, which the file contains once; a leading line break of `new` does not count."""
    path = place / change["file"]
    text = path.read_text(encoding="utf-8")
    assert text.count(change["old"]) == 1, f"{path} contains {text.count(change['old'])} times: {change['old']}"
    path.write_text(text.replace(change["old"], change["new"]), encoding="utf-8")


def run_tests(place: Path, *arguments: str) -> Outcome:
    """Run pytest in a project."""
    report = place / "build" / "findings.json"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    done = python_of(place, "-m", "pytest", "--quiet", f"--harness-json={report}", *arguments)
    findings = json.loads(report.read_text(encoding="utf-8"))["findings"] if report.exists() else []
    return Outcome(done.returncode, done.stdout + done.stderr, findings)
