"""The lowest versions that pyproject.toml allows, which the session `lowest` installs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

APART = ("deploy", "nox", "plugins")
"""Groups that the session does not install."""


def requirements() -> list[Requirement]:
    """What the app needs, and the groups that tests are run with."""
    groups = [group for name, group in PROJECT["dependency-groups"].items() if name not in APART]
    named = [item for group in groups for item in group if isinstance(item, str)]
    return [Requirement(item) for item in (*PROJECT["project"]["dependencies"], *named)]


def test_lowest_holds_the_lowest_versions_that_are_allowed() -> None:
    """Each requirement has one lower bound, and is pinned to it, or to its first patch: what is promised is run."""
    text = (ROOT / "requirements" / "lowest.txt").read_text(encoding="utf-8")
    pins = {name: Version(version) for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+) ", text)}
    for requirement in requirements():
        (bound,) = requirement.specifier
        assert bound.operator == ">=", requirement
        release = Version(bound.version).release
        assert pins[requirement.name].release[: len(release)] == release, requirement
