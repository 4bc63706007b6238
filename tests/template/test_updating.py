"""A project takes the template's changes by the commands of docs/updating.md."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.template.clones import ENVIRONMENT, commit_all, copy, git
from tools.rename import rename, tracked
from tools.slim import slim

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "updating.md").read_text(encoding="utf-8")
NAME = "quartz_vault"
OWN = ("sessions.py", ".github/workflows/ours.yaml", "tests/schema/test_ours.py", "tests/harness/test_ours.py")


def commands(title: str) -> list[str]:
    """Return the commands below a title of the page, one text per block."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    return [re.sub(r"(?m)^\$ ", "", block) for block in blocks]


def upstream(place: Path) -> list[str]:
    """Return the template's files, by the paths in the page's commands."""
    return git(place, "ls-files", "--", *paths()).splitlines()


def paths() -> list[str]:
    """Return the paths that the page's command includes and excludes."""
    (words,) = re.findall(r"\.\.\.template/main -- (.*?) \|", PAGE)
    return shlex.split(words)


def type_in(place: Path, block: str) -> str:
    """Run the commands of a block up to the first that fails."""
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block],
        cwd=place,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    return done.stdout


def change_everything(template: Path, word: str) -> list[str]:
    """Commit a later state of the template: a line is added to each file, one file is new, and one is deleted."""
    files = upstream(template)
    for path in files:
        with (template / path).open("a", encoding="utf-8") as file:
            file.write(f"# {word}\n")
    (template / "src" / "harness" / f"{word}.py").write_text(f'"""{word}"""\n')
    (template / files[-1]).unlink()
    commit_all(template, word)
    return upstream(template)


def go_own_way(place: Path) -> dict[str, str]:
    """Change the app, its tests and its migrations, and add files next to the template's; return their texts."""
    for path in ("README.md", "pyproject.toml", f"src/{NAME}/main.py", "tests/api/examples.py", "migrations/env.py"):
        with (place / path).open("a", encoding="utf-8") as file:
            file.write("# ours\n")
    for path in (*OWN, "migrations/versions/ours.py", f"src/{NAME}/ours.py"):
        (place / path).write_text("# ours\n")
    commit_all(place, "Ours")
    return {path: (place / path).read_text() for path in tracked(place) if path not in upstream(place) or path in OWN}


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The template as a repository."""
    return copy(tmp_path / "template")


@pytest.mark.slow
@pytest.mark.parametrize("begun", ["clone", "use this template"])
def test_changes_of_the_template_come_without_conflict(tmp_path: Path, template: Path, begun: str) -> None:
    """A project that was renamed, slimmed and changed takes two updates that each change every file of the template."""
    place = tmp_path / "project"
    once = commands("Once")
    if begun == "clone":
        git(tmp_path, "clone", "--quiet", str(template), str(place))
        type_in(place, once[0])
    else:
        place = copy(place)
        commit = git(template, "rev-parse", "HEAD").strip()
        type_in(place, once[1].replace("https://example.com/the/template.git", str(template)).replace("COMMIT", commit))
    rename(place, NAME)
    commit_all(place, "Rename")
    slim(place)
    own = go_own_way(place)
    for word in ("later", "latest"):
        files = change_everything(template, word)
        taken, shown = (type_in(place, block) for block in commands("Each time"))
        assert "CONFLICT" not in taken
        assert git(place, "status", "--porcelain") == ""
        assert {path: (place / path).read_text() for path in own} == own
        for path in files:
            taken_text, given = (place / path).read_text(), (template / path).read_text()
            assert taken_text == given, path
        assert {*upstream(place)} - {*OWN} == {*files}
        assert "template" not in shown


def test_contributing_names_the_templates_paths() -> None:
    """CONTRIBUTING names each path that an update replaces."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [path for path in paths() if f"`{path.removeprefix(':!')}`" not in contributing] == []
