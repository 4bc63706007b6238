"""What `nox -s rename` makes of a clone."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from harness.errors import HarnessError
from tests.template.clones import commit_all, copy, git, passes, python_of
from tools.rename import HISTORY, LONGEST, UNTOUCHED, Name, is_kebab, read_name, rename, title_of, tracked

ROOT = Path(__file__).resolve().parents[2]
OLD = read_name(ROOT)

FIRST, SECOND, LONG = "quartz_vault", "amber_lane", "up_to_twenty_two_chars"


def traces(place: Path, name: Name) -> list[str]:
    """Where a name is left, in any of its forms and in any case: file names, and lines of files."""
    forms = {re.escape(form.lower()) for form in (name.snake, name.kebab, name.title)}
    pattern = re.compile(rf"(?<![a-z0-9])({'|'.join(forms)})(?![a-z0-9])")
    found = []
    for path in tracked(place):
        text = (place / path).read_text(encoding="utf-8", errors="replace").lower()
        if path not in HISTORY:
            found += [f"{path}: {line}" for line in [path.lower(), *text.splitlines()] if pattern.search(line)]
    return found


def meaning(place: Path) -> dict[str, str]:
    """Every file's content, Python's without its layout."""
    files = {path: (place / path).read_text(encoding="utf-8", errors="replace") for path in tracked(place)}
    return {path: ast.dump(ast.parse(text)) if path.endswith(".py") else text for path, text in files.items()}


@pytest.mark.slow
def test_the_clone_is_the_teams(tmp_path: Path) -> None:
    """No trace of the old name, each form of the new one in its place, history as it was, and all checks pass.

    Tests that renaming does not touch are left out.
    """
    place = copy(tmp_path)
    head = git(place, "rev-parse", "HEAD")
    before = {path: (place / path).read_bytes() for path in tracked(place) if path.startswith(UNTOUCHED)}
    rename(place, FIRST)
    assert git(place, "rev-parse", "HEAD") == head
    commit_all(place, "Rename")
    assert traces(place, OLD) == []
    assert {path: (place / path).read_bytes() for path in tracked(place) if path.startswith(UNTOUCHED)} == before
    assert not (place / "src" / OLD.snake).exists()
    assert_forms(place, Name(FIRST, title_of(FIRST)))
    passes(place, "ruff", "check")
    passes(place, "ruff", "format", "--check")
    passes(place, "mypy")
    passes(place, "pytest", "--quiet", "-m", "not slow", "--ignore=tests/harness")


def assert_forms(place: Path, name: Name) -> None:
    """Python and Postgres have the name with underscores, services and the project with hyphens, people the title."""
    project = tomllib.loads((place / "pyproject.toml").read_text())
    assert project["project"]["name"] == name.kebab
    assert project["tool"]["harness"]["role-prefix"] == name.snake
    assert read_name(place) == name
    services = [path.read_text() for path in (place / "deploy").rglob("*") if path.is_file()]
    joined = "\n".join(services)
    assert re.search(rf"(?m)^  name: {name.kebab}$", joined)
    addresses = re.findall(r"postgresql://[^\s\"']*?@[^\s\"'/]*/(\w[\w-]*)", joined)
    assert set(addresses) == {name.snake}
    assert name.title in (place / "README.md").read_text()


@pytest.mark.slow
def test_renaming_again_ends_where_one_renaming_would(tmp_path: Path) -> None:
    """A second name takes the place of the first, in every form; the way there leaves nothing behind."""
    straight, roundabout = copy(tmp_path / "straight"), copy(tmp_path / "roundabout")
    titles = [f"{title_of(name)} & More" for name in (FIRST, SECOND)]
    rename(straight, SECOND, titles[1])
    rename(roundabout, FIRST, titles[0])
    commit_all(roundabout, "Rename")
    rename(roundabout, SECOND, titles[1])
    for place in (straight, roundabout):
        commit_all(place, "Rename")
    assert traces(roundabout, Name(FIRST, titles[0])) == []
    assert meaning(roundabout) == meaning(straight)


def test_the_longest_name_breaks_no_code(tmp_path: Path) -> None:
    """Lines in which as many letters as a name may have are too many are wrapped; texts are marked."""
    assert len(LONG) == LONGEST
    place = copy(tmp_path)
    changed = rename(place, LONG)
    files = [path for path in changed if path.endswith(".py")]
    passes(place, "ruff", "check", *files)
    passes(place, "ruff", "format", "--check", *files)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Acme", "no name"),
        ("acme-orders", "no name"),
        ("acme orders", "no name"),
        ("acme__orders", "no name"),
        ("_acme", "no name"),
        ("acme_", "no name"),
        ("2acme", "no name"),
        ("a", "no name"),
        ("", "no name"),
        ("é" * 3, "no name"),
        ("a" * (LONGEST + 1), "no name"),
        ("class", "word of Python"),
        ("match", "word of Python"),
        ("json", "there already"),
        ("fastapi", "there already"),
        ("pytest_xdist", "there already"),
        ("harness", "there already"),
        ("tests", "there already"),
        ("migrations", "there already"),
        ("src", "there already"),
        ("api", "take"),
        ("pg_orders", "PostgreSQL's own"),
        ("account", "take a longer name"),
        (OLD.snake, "already"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused(name: str, reason: str, project: Path) -> None:
    """One line says why, and nothing is touched."""
    with pytest.raises(HarnessError, match=reason) as refused:
        rename(project, name)
    assert "\n" not in str(refused.value)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("title", ['A "quoted" one', "two\nlines", "a: b", "x" * 61, " ", "a\\b", "{title}"])
def test_a_title_that_would_break_a_file_is_refused(title: str, project: Path) -> None:
    """A title stands in Python, YAML and Markdown as it is, so it has nothing that one of them reads otherwise."""
    with pytest.raises(HarnessError, match="is no title"):
        rename(project, FIRST, title)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that refusals leave as it is."""
    return copy(tmp_path_factory.mktemp("clone"))


def test_a_tree_with_changes_is_refused(tmp_path: Path) -> None:
    """A file that git does not have yet counts: renaming could not be told from it, and would miss it."""
    place = copy(tmp_path)
    (place / "notes.txt").write_text("mine\n")
    done = python_of(place, "-m", "tools.rename", FIRST)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rename: rename needs a clean tree, and 1 files are changed (notes.txt): commit them\n"


@pytest.mark.parametrize(
    ("path", "line", "kebab"),
    [
        ("pyproject.toml", '\nname = "NAME"', True),
        ("pyproject.toml", 'packages = ["src/NAME"]', False),
        ("requirements/app.txt", "    # via NAME (pyproject.toml)", True),
        ("Dockerfile", "docker build -t NAME .", True),
        ("Dockerfile", "uvicorn --factory NAME.main:create_app", False),
        ("deploy/vm/app.service", "User=NAME_app", False),
        ("deploy/vm/app.service", "WorkingDirectory=/opt/NAME", True),
        ("deploy/vm/compose.yaml", "POSTGRES_DB: NAME", False),
        ("deploy/vm/secrets.sh", "postgresql://app:$(random)@db/NAME", False),
        ("deploy/cloudrun/migrate.yaml", "name: NAME-migrate", True),
        ("docs/any.md", "`src/NAME/main.py`", False),
        ("docs/any.md", "python -m NAME.db.refresh", False),
        ("src/any.py", "import NAME", False),
        ("src/any.py", '"NAME-edge"', True),
    ],
)
def test_a_name_of_one_word_is_told_apart_by_its_surroundings(path: str, line: str, kebab: bool) -> None:
    """Where both forms are spelt alike, the file and the words around it say which one is meant."""
    name = Name("word", "Word")
    text = line.replace("NAME", name.snake)
    found = name.pattern.search(text)
    assert found
    assert is_kebab(path, text, found) is kebab
