"""The file head.py next to the models, which lists the revisions that the app knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.alembic_config import head_file, script_directory
from harness.config import Config
from harness.errors import HarnessError


def check_head(config: Config) -> None:
    """Look for the list, without changing it.

    Raises:
        HarnessError: when the file does not exist or has no list.
    """
    _rewritten(head_file(config), _revisions(config))


def update_head(config: Config) -> Path:
    """List the revisions of the project, and return the file that lists them.

    Raises:
        HarnessError: when the file does not exist or has no list.
    """
    write_head(head_file(config), _revisions(config))
    return head_file(config)


def write_head(path: Path, revisions: Mapping[str, str]) -> None:
    """List the ids of `revisions`, oldest first, in the file at `path`, each with the name of its file.

    Two branches that have taken the same number then differ in that line, so that git reports a conflict.

    Raises:
        HarnessError: when the file does not exist or has no list.
    """
    path.write_text(_rewritten(path, revisions), encoding="utf-8")


def _revisions(config: Config) -> dict[str, str]:
    scripts = reversed(list(script_directory(config).walk_revisions()))
    return {script.revision: Path(script.path).stem for script in scripts}


def _rewritten(path: Path, revisions: Mapping[str, str]) -> str:
    """Return the text of the file with another list."""
    lines = "".join(f'    "{name}",  # {file}\n' for name, file in revisions.items())
    found = path.read_text(encoding="utf-8") if path.is_file() else ""
    text, count = re.subn(r"(?ms)^(REVISIONS\b[^\n]*= \(\n).*?^\)", lambda begin: f"{begin[1]}{lines})", found)
    if count != 1:
        raise HarnessError(
            f"{path} has {count} lists REVISIONS = (…) instead of one, so no revision can be listed",
            remedy=f"write into it:\nREVISIONS = (\n{lines})",
        )
    return text
