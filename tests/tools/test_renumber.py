"""`python3 run.py revision --renumber`: the revisions of a branch come after those that it is merged with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.alembic_config import head_file
from harness.config import Config
from harness.errors import HarnessError
from tests.harness.migrations.test_released import commit, git
from tests.harness.projects import harness_table, write_files, write_project
from tools.head import update_head
from tools.renumber import renumber

REVISION = '''"""{file}

Revision: {name}
Revises: {below}
"""

revision: str = "{name}"
down_revision: str | tuple[str, ...] | None = (
    "{below}"
)
'''


@pytest.fixture
def shop(tmp_path: Path, harness_config: Config) -> Config:
    """A project in git, on its branch main, with the revisions 0001 and 0002; its path has an umlaut."""
    config = write_project(tmp_path / "fo ö", harness_config.roles_path, harness_table(), {})
    write_files(config.root, {"src/shop/app/head.py": "REVISIONS = (\n)\n", "models.py": "ONE = 1\n"})
    git(config.root, "init", "-q", "-b", "main")
    add(config, "0001_a", "")
    add(config, "0002_b", "0001")
    return config


def add(shop: Config, file: str, below: str, name: str = "") -> None:
    """Add a revision, list it in head.py, and commit both."""
    name = name or file.partition("_")[0]
    path = shop.migrations_path / "versions" / f"{file}.py"
    path.write_text(REVISION.format(file=file, name=name, below=below).replace('(\n    ""\n)', "None"))
    update_head(shop)
    commit(shop.root)


def merge(shop: Config, other: str) -> bool:
    """Merge a branch; return whether git has reported a conflict in head.py."""
    with pytest.raises(subprocess.CalledProcessError):
        git(shop.root, "merge", "-q", other)
    return "<<<<<<< " in head_file(shop).read_text()


def branches(shop: Config, ours: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    """Make two branches from main, `ours` checked out, with these files and the ids that they are based on."""
    for branch, files in (("theirs", theirs), ("ours", ours)):
        git(shop.root, "checkout", "-qb", branch, "main")
        for file, below in files:
            add(shop, file, below)


def history(shop: Config) -> dict[str, str]:
    """Return the id that each revision is based on, by its file, as Alembic reads them, and check head.py's list."""
    before = head_file(shop).read_text()
    update_head(shop)
    assert head_file(shop).read_text() == before
    texts = {path.stem: path.read_text() for path in sorted((shop.migrations_path / "versions").glob("*.py"))}
    for file, text in texts.items():
        name, below = (text.split(f"{word}: ")[1].partition("\n")[0] for word in ("Revision", "Revises"))
        assert f'revision: str = "{name}"' in text
        assert file.startswith(name)
        assert f'= "{below}"' in text or f'"{below}"\n)' in text or not below
    return {file: text.split("Revises: ")[1].partition("\n")[0].rstrip() for file, text in texts.items() if "_" in file}


def merged_into_main(shop: Config) -> None:
    """Let main have what `theirs` has."""
    git(shop.root, "branch", "-qf", "main", "theirs")


def test_the_branchs_revision_gets_the_next_number(shop: Config) -> None:
    """In the middle of the merge, where head.py has conflict markers: id, file, predecessor, docstring, and list."""
    branches(shop, [("0003_ours", "0002")], [("0003_theirs", "0002")])
    merged_into_main(shop)
    assert merge(shop, "main")
    ((former, path),) = renumber(shop)
    assert (former, path.name) == ("0003", "0004_ours.py")
    assert history(shop) == {"0001_a": "", "0002_b": "0001", "0003_theirs": "0002", "0004_ours": "0003"}
    commit(shop.root)
    assert renumber(shop) == []


def test_several_revisions_keep_their_order(shop: Config) -> None:
    """Also after the merge was committed with both lists, and where another file names one of them."""
    branches(shop, [("0003_z", "0002"), ("0004_a", "0003")], [("0003_b", "0002"), ("0004_c", "0003")])
    write_files(shop.root, {"recorded.json": '["0004_a", "0003"]', "page.md": "0004_a"})
    commit(shop.root)
    merged_into_main(shop)
    assert merge(shop, "main")
    lines = head_file(shop).read_text().splitlines(keepends=True)
    head_file(shop).write_text("".join(line for line in lines if not line.startswith(("<<<<", "====", ">>>>"))))
    commit(shop.root)
    assert [path.stem for _, path in renumber(shop)] == ["0005_z", "0006_a"]
    assert history(shop) == {
        "0001_a": "", "0002_b": "0001", "0003_b": "0002", "0004_c": "0003", "0005_z": "0004", "0006_a": "0005",
    }  # fmt: skip
    assert (shop.root / "recorded.json").read_text() == '["0006_a", "0003"]'
    assert (shop.root / "page.md").read_text() == "0004_a"


def test_ids_that_are_not_numbers_stay(shop: Config) -> None:
    """No two are the same; only the predecessor of the first one changes."""
    branches(shop, [("ae10_ours", "0002"), ("0bad_next", "ae10")], [("5eed_theirs", "0002")])
    merged_into_main(shop)
    assert merge(shop, "main")
    assert renumber(shop) == []
    assert history(shop) == {
        "0001_a": "",
        "0002_b": "0001",
        "5eed_theirs": "0002",
        "ae10_ours": "5eed",
        "0bad_next": "ae10",
    }


def test_main_itself_puts_what_it_merges_last(shop: Config) -> None:
    """On the default branch of a repository without a remote, during the merge and after it."""
    branches(shop, [("0003_ours", "0002")], [("0003_theirs", "0002")])
    git(shop.root, "checkout", "-q", "main")
    git(shop.root, "merge", "-q", "theirs")
    assert merge(shop, "ours")
    assert [path.stem for _, path in renumber(shop)] == ["0004_ours"]
    git(shop.root, "checkout", "-qf", "main")
    git(shop.root, "clean", "-qfd")
    assert merge(shop, "ours")
    commit(shop.root)
    assert [path.stem for _, path in renumber(shop)] == ["0004_ours"]


def test_a_rebase_puts_the_replayed_revision_last(shop: Config) -> None:
    """HEAD is detached then, and its commits are those of the other branch."""
    branches(shop, [("0003_ours", "0002")], [("0003_theirs", "0002")])
    merged_into_main(shop)
    with pytest.raises(subprocess.CalledProcessError):
        git(shop.root, "rebase", "-q", "main")
    assert [path.stem for _, path in renumber(shop)] == ["0004_ours"]
    assert history(shop)["0004_ours"] == "0003"


def test_conflicts_elsewhere_are_refused(shop: Config) -> None:
    """A model that cannot be imported would fail the next step; nothing is changed."""
    branches(shop, [("0003_ours", "0002")], [("0003_theirs", "0002")])
    for branch in ("theirs", "ours"):
        git(shop.root, "checkout", "-q", branch)
        (shop.root / "models.py").write_text(f"ONE = '{branch}'\n")
        commit(shop.root)
    merged_into_main(shop)
    assert merge(shop, "main")
    before = git(shop.root, "status", "--porcelain")
    with pytest.raises(HarnessError, match=r"have conflict markers\n  looked at: \S*.*models\.py\n"):
        renumber(shop)
    assert git(shop.root, "status", "--porcelain") == before


@pytest.mark.parametrize(("branch", "says"), [("main", "it is not known which"), ("ours", "has none")])
def test_what_cannot_be_renumbered_is_refused(shop: Config, branch: str, says: str) -> None:
    """Where there was no merge, and on a branch without a revision."""
    git(shop.root, "branch", "-q", "ours")
    git(shop.root, "checkout", "-q", branch)
    with pytest.raises(HarnessError, match=says):
        renumber(shop)


def test_a_project_outside_git_is_refused(tmp_path: Path, harness_config: Config) -> None:
    """Only git knows which revisions are the branch's."""
    config = write_project(tmp_path / "shop", harness_config.roles_path, harness_table(), {})
    with pytest.raises(HarnessError, match=r"no revision was renumbered: .*not a git repository"):
        renumber(config)
