"""A released revision cannot be edited or removed, and no revision can be inserted before it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.examples import Example, examples_of
from harness.migrations.files.released import Comparison, compare_with_released
from tests.harness.projects import write_revision

VERSIONS = "service/db/versions"
NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
AUTHOR = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")

Git = Callable[..., str]


def git(folder: Path, *arguments: str) -> str:
    """Run git as nobody in particular."""
    command = ["git", "-C", str(folder), *AUTHOR, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **NOBODY}).stdout


def write(root: Path, name: str, parent: str | None, upgrade: str = "", *, folder: str = VERSIONS) -> Path:
    """Write one revision."""
    return write_revision(root / folder, name, parent, upgrade)


def commit(root: Path) -> None:
    """Everything there is."""
    git(root, "add", "-A")
    git(root, "commit", "-qm", "step")


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository in which 0001 and 0002 are released; its path has a space and an umlaut."""
    root = tmp_path / "ori gin ü"
    root.mkdir()
    git(root, "init", "-q")
    write(root, "0001", None)
    write(root, "0002", "0001")
    (root / VERSIONS / "notes.py").write_text("down_revision = 'not a revision'\n", encoding="utf-8")
    commit(root)
    return root


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Path:
    """A clone on another branch."""
    root = tmp_path / "cl one"
    git(tmp_path, "clone", "-q", str(origin), str(root))
    git(root, "checkout", "-qb", "feature")
    return root


def compare(root: Path, **environment: str) -> Comparison:
    """The comparison of one clone."""
    return compare_with_released([root / VERSIONS], environment)


def found(root: Path, **environment: str) -> list[tuple[str, str]]:
    """Rule and revision of each finding."""
    return [(item.rule.id, item.object) for item in compare(root, **environment).findings]


@pytest.mark.parametrize("example", examples_of("edited-history", "non-linear"), ids=lambda example: example.id)
def test_an_example_is_judged(example: Example, clone: Path) -> None:
    """Found under its rule, or nothing is found."""
    revision = example.code.split('"')[1]
    (clone / VERSIONS / f"{revision}.py").write_text(example.code, encoding="utf-8")
    assert found(clone) == ([(example.rule, revision)] if example.breaks else [])


def test_a_new_revision_on_the_released_head_is_fine(clone: Path) -> None:
    """Growing at the end is what history is for; the note says what it was compared with."""
    write(clone, "0003", "0002")
    commit(clone)
    write(clone, "0004", "0003")
    assert found(clone) == []
    assert compare(clone).note.startswith("2 released revisions compared with origin/HEAD at ")
    assert compare(clone).compared


@pytest.mark.parametrize("committed", [True, False])
def test_an_edited_revision_is_found_before_and_after_its_commit(clone: Path, committed: bool) -> None:
    """The work tree counts, so that the mistake is seen before it is pushed; the fix restores the file."""
    write(clone, "0001", None, "op.drop_table('t')")
    if committed:
        commit(clone)
    assert found(clone) == [("edited-history", "0001")]
    [finding] = compare(clone).findings
    git(clone, *finding.fix.split()[1:])
    assert found(clone) == []


def test_an_edited_parent_is_an_edit(clone: Path) -> None:
    """A revision inserted between two released ones edits the later one, and is below the head itself."""
    write(clone, "0001b", "0001")
    write(clone, "0002", "0001b")
    assert sorted(found(clone)) == [("edited-history", "0002"), ("non-linear", "0001b")]


def test_comments_docstrings_layout_and_exemptions_may_change(clone: Path) -> None:
    """A formatter, a typo in a comment and an exemption added later change nothing that a database ran."""
    path = clone / VERSIONS / "0001.py"
    text = path.read_text(encoding="utf-8").replace("    pass", '    """Does nothing."""\n    pass  # yet')
    exemptions = 'exemptions = {"drop-column:public.a.b": "unused since release 41, see PR 812"}'
    path.write_text(f'"""First."""\n\n{text}\n{exemptions}\n', encoding="utf-8")
    assert found(clone) == []


def test_a_renamed_file_and_a_moved_history_are_the_same_revisions(clone: Path) -> None:
    """A revision is its id, not its path; edited on the way, it is still found."""
    git(clone, "mv", f"{VERSIONS}/0001.py", f"{VERSIONS}/2026_first.py")
    assert found(clone) == []
    git(clone, "mv", "service", "backend")
    write(clone, "0002", "0001", "op.drop_table('t')", folder="backend/db/versions")
    moved = compare_with_released([clone / "backend/db/versions"], {})
    assert [(item.rule.id, item.object) for item in moved.findings] == [("edited-history", "0002")]


def test_another_history_of_the_repository_with_the_same_ids_is_not_ours(origin: Path, clone: Path) -> None:
    """Such as an example's: what counts is the file that our folder had."""
    write(origin, "0002", "0001", "CREATE TABLE another (id int)", folder="z/example/versions")
    commit(origin)
    git(clone, "pull", "-q", "origin", "main")
    assert found(clone) == []


def test_a_removed_revision_is_found(clone: Path) -> None:
    """A database at that revision could not be migrated."""
    (clone / VERSIONS / "0002.py").unlink()
    assert found(clone) == [("edited-history", "0002")]


def replace_history(root: Path, *replaces: str) -> None:
    """One first revision in place of all that was there."""
    for path in (root / VERSIONS).glob("0*.py"):
        path.unlink()
    path = write(root, "0001", None, "op.execute('CREATE EXTENSION citext')")
    path.write_text(f"replaces = {replaces!r}\n{path.read_text('utf-8')}", encoding="utf-8")


def test_a_first_revision_may_replace_all_released_ones(origin: Path, clone: Path) -> None:
    """A first revision that says it replaces all released ones is no edit; once released it cannot be edited either."""
    replace_history(clone, "0001", "0002")
    write(clone, "0002", "0001", "op.create_table('t')")
    assert found(clone) == []
    assert compare(clone).note.startswith(
        "history starts again with 0001, instead of 2 released revisions of origin/HEAD"
    )
    commit(clone)
    git(clone, "push", "-q", "origin", "HEAD:refs/heads/feature")
    git(origin, "merge", "-q", "feature")
    git(clone, "fetch", "-q", "origin")
    assert found(clone) == []
    assert compare(clone).note.startswith("2 released revisions compared with ")
    start = clone / VERSIONS / "0001.py"
    text = start.read_text("utf-8")
    start.write_text(text.replace("replaces = ('0001', '0002')\n", ""), encoding="utf-8")
    assert found(clone) == []
    start.write_text(text.replace("citext", "hstore"), encoding="utf-8")
    assert found(clone) == [("edited-history", "0001")]


def test_a_start_that_leaves_out_a_released_revision_is_an_edit(clone: Path) -> None:
    """A revision released meanwhile is not dropped by mistake, nor by a second start of the history."""
    replace_history(clone, "0001")
    assert found(clone) == [("edited-history", "0001"), ("edited-history", "0002")]
    replace_history(clone, "0001", "0002")
    write(clone, "0001b", None)
    assert ("edited-history", "0001") in found(clone)


def test_a_second_branch_from_a_released_revision_is_found(clone: Path) -> None:
    """So is everything based on it, and a second start of the history."""
    write(clone, "0002b", "0001")
    write(clone, "0003", "0002b")
    write(clone, "0001c", None)
    assert sorted(found(clone)) == [("non-linear", "0001c"), ("non-linear", "0002b"), ("non-linear", "0003")]


def test_what_was_released_after_the_branch_began_does_not_count(origin: Path, clone: Path) -> None:
    """Compared is the merge base: another's 0003 is neither missing here nor in the way before the merge."""
    write(origin, "0003", "0002")
    commit(origin)
    git(clone, "fetch", "-q")
    write(clone, "0003b", "0002")
    assert found(clone) == []
    commit(clone)
    git(clone, "merge", "-q", "--no-edit", "origin/main")
    assert found(clone) == [("non-linear", "0003b")]


def test_another_history_of_the_same_repository_is_left_alone(origin: Path, tmp_path: Path) -> None:
    """Two databases, two histories: neither misses the other's revisions."""
    write(origin, "a1", None, folder="other/versions")
    commit(origin)
    root = tmp_path / "two"
    git(tmp_path, "clone", "-q", str(origin), str(root))
    assert found(root) == []
    assert compare_with_released([root / "other/versions"], {}).note.startswith("1 released revision compared")


def test_a_pull_request_is_compared_with_its_target(origin: Path, clone: Path) -> None:
    """A release branch has its own revisions; in CI its name comes from the environment."""
    git(origin, "checkout", "-qb", "release")
    write(origin, "0003", "0002")
    commit(origin)
    git(clone, "fetch", "-q")
    git(clone, "checkout", "-qb", "fix", "origin/release")
    write(clone, "0003", "0002", "op.drop_table('t')")
    assert found(clone) == []
    assert found(clone, GITHUB_BASE_REF="release") == [("edited-history", "0003")]
    assert found(clone, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="release") == [("edited-history", "0003")]


def test_a_pull_request_without_its_target_is_an_error_that_says_what_to_fetch(clone: Path) -> None:
    """In CI a missing branch must not look like a clean history."""
    with pytest.raises(
        HarnessError, match=r"looked at: origin/gone in .*\n.*fetch-depth: 0.*git fetch origin gone:refs"
    ):
        compare(clone, GITHUB_BASE_REF="gone")


def test_a_shallow_clone_is_compared_with_the_tip_of_the_branch(origin: Path, tmp_path: Path) -> None:
    """Without a merge base the edits still show; what only the tip has may be newer than the branch."""
    git(origin, "checkout", "-qb", "feature")
    write(origin, "0001", None, "op.drop_table('t')")
    commit(origin)
    git(origin, "checkout", "-q", "main")
    write(origin, "0003", "0002")
    commit(origin)
    root = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", "--branch=feature", "--no-single-branch", origin.as_uri(), str(root))
    assert found(root) == [("edited-history", "0001")]


@pytest.mark.parametrize("branch", ["main", "trunk"])
def test_without_a_remote_the_local_default_branch_is_released(origin: Path, branch: str) -> None:
    """A project that has no remote yet, or none called origin; on that branch itself nothing is."""
    git(origin, "branch", "-m", branch)
    git(origin, "config", "init.defaultBranch", branch)
    git(origin, "remote", "add", "template", "nowhere")
    assert not compare(origin).compared
    git(origin, "checkout", "-qb", "feature")
    write(origin, "0001", None, "op.drop_table('t')")
    assert found(origin) == [("edited-history", "0001")]
    assert compare(origin).note.startswith(f"2 released revisions compared with {branch} at ")


def test_the_commands_of_the_note_work(clone: Path) -> None:
    """With a remote whose default branch is not known, and without a remote."""
    for command in ("remote set-head origin --delete", "remote rename origin template"):
        url = git(clone, "remote", "get-url", "origin").strip()
        git(clone, *command.split())
        if "rename" in command:
            git(clone, "branch", "-D", "main")
        note = compare(clone).note
        for step in note.partition("to set it: ")[2].split(" && "):
            git(clone, *(url if word == "URL" else word for word in step.split()[1:]))
        assert compare(clone).note.startswith("2 released revisions compared with origin/HEAD"), note


def test_without_a_remote_or_a_repository_the_note_says_so(origin: Path, tmp_path: Path) -> None:
    """Nothing is found, the note does not claim a comparison, and no exemption is stale for want of one."""
    remedy = "git remote add origin URL && git fetch origin && git remote set-head origin --auto"
    assert compare(origin) == Comparison(
        (), f"released revisions not compared: origin/HEAD is not set; to set it: {remedy}"
    )
    copy = tmp_path / "export"
    shutil.copytree(origin, copy, ignore=shutil.ignore_patterns(".git"))
    assert "not a git repository" in compare(copy).note
    assert not compare(copy).compared


def test_without_git_the_note_says_so(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite needs git for nothing else."""
    monkeypatch.setenv("PATH", "")
    assert compare(clone).note == "released revisions not compared: git cannot be run (No such file or directory)"


def test_a_git_hook_does_not_redirect_the_comparison(
    origin: Path, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tells its hooks which repository they serve; a test run from one still reads this one."""
    monkeypatch.setenv("GIT_DIR", str(origin / ".git"))
    write(clone, "0001", None, "op.drop_table('t')")
    assert found(clone) == [("edited-history", "0001")]
