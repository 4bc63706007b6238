"""`nox -s rename`, run in clones of the template."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from harness.errors import HarnessError
from tests.template.clones import commit_all, copy, git, passes, python_of
from tools.rename import HISTORY, MAX_LENGTH, UNCHANGED, Name, is_kebab, read_name, rename, title_of, tracked

ROOT = Path(__file__).resolve().parents[2]
OLD = read_name(ROOT)

FIRST, SECOND, LONG = "quartz_vault", "amber_lane", "up_to_twenty_two_chars"


def traces(place: Path, name: Name) -> list[str]:
    """Return the file names and lines that contain a name, in any form and case."""
    forms = {re.escape(form.lower()) for form in (name.snake, name.kebab, name.title)}
    pattern = re.compile(rf"(?<![a-z0-9])({'|'.join(forms)})(?![a-z0-9])")
    found = []
    for path in tracked(place):
        text = (place / path).read_text(encoding="utf-8", errors="replace").lower()
        if path not in HISTORY:
            found += [f"{path}: {line}" for line in [path.lower(), *text.splitlines()] if pattern.search(line)]
    return found


def meaning(place: Path) -> dict[str, str]:
    """Return the content of every file; of a Python file the syntax tree."""
    files = {path: (place / path).read_text(encoding="utf-8", errors="replace") for path in tracked(place)}
    return {path: ast.dump(ast.parse(text)) if path.endswith(".py") else text for path, text in files.items()}


@pytest.mark.slow
def test_a_renamed_project_passes_its_checks(tmp_path: Path) -> None:
    """The old name is gone, each form of the new one is in its place, history is unchanged, and the checks pass."""
    place = copy(tmp_path)
    head = git(place, "rev-parse", "HEAD")
    before = {path: (place / path).read_bytes() for path in tracked(place) if path.startswith(UNCHANGED)}
    rename(place, FIRST)
    assert git(place, "rev-parse", "HEAD") == head
    commit_all(place, "Rename")
    assert traces(place, OLD) == []
    assert {path: (place / path).read_bytes() for path in tracked(place) if path.startswith(UNCHANGED)} == before
    assert not (place / "src" / OLD.snake).exists()
    assert_forms(place, Name(FIRST, title_of(FIRST)))
    passes(place, "ruff", "check")
    passes(place, "ruff", "format", "--check")
    passes(place, "mypy")
    passes(place, "pytest", "--quiet", "-m", "not slow", "--ignore=tests/harness")


def assert_forms(place: Path, name: Name) -> None:
    """Assert that Python and PostgreSQL use underscores, services and the project hyphens, and README the title."""
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


def test_a_project_gets_a_readme(tmp_path: Path) -> None:
    """It names the project and its package, all its links lead to files, and what a team adds stays."""
    place = copy(tmp_path)
    rename(place, FIRST)
    readme = place / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert text.startswith(f"# {title_of(FIRST)}\n")
    assert f"`src/{FIRST}`" in text
    assert "A template" not in text
    links = re.findall(r"\]\((?!\.\./\.\./actions)([^)#]+)", text)
    assert links
    assert [link for link in links if not (place / link).is_file()] == []
    readme.write_text(f"{text}\nOurs.\n", encoding="utf-8")
    commit_all(place, "Rename")
    rename(place, SECOND)
    assert readme.read_text(encoding="utf-8").endswith("\nOurs.\n")


def test_the_command_counts_the_files_as_git_does(tmp_path: Path) -> None:
    """Those that it changed and those that it removed."""
    place = copy(tmp_path)
    done = python_of(place, "-m", "tools.rename", FIRST)
    counts = re.match(r"rename: changed (\d+) files and removed (\d+), the template's own tests\. ", done.stdout)
    assert counts, done.stdout + done.stderr
    git(place, "add", "--all")
    assert len(git(place, "status", "--porcelain").splitlines()) == sum(map(int, counts.groups()))


@pytest.mark.slow
def test_renaming_twice_equals_renaming_once(tmp_path: Path) -> None:
    """The second name replaces the first in every form, and no trace of the first is left."""
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


def test_the_longest_name_passes_the_style_checks(tmp_path: Path) -> None:
    """Lines that become too long are wrapped; long strings get a `noqa`."""
    assert len(LONG) == MAX_LENGTH
    place = copy(tmp_path)
    changed, _ = rename(place, LONG)
    files = [path for path in changed if path.endswith(".py")]
    passes(place, "ruff", "check", *files)
    passes(place, "ruff", "format", "--check", *files)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Acme", "not a valid name"),
        ("acme-orders", "not a valid name"),
        ("acme orders", "not a valid name"),
        ("acme__orders", "not a valid name"),
        ("_acme", "not a valid name"),
        ("acme_", "not a valid name"),
        ("2acme", "not a valid name"),
        ("a", "not a valid name"),
        ("", "not a valid name"),
        ("é" * 3, "not a valid name"),
        ("a" * (MAX_LENGTH + 1), "not a valid name"),
        ("class", "Python keyword"),
        ("match", "Python keyword"),
        ("json", "is already a module"),
        ("fastapi", "is already a module"),
        ("pytest_xdist", "is already a module"),
        ("harness", "is already a module"),
        ("tests", "is already a module"),
        ("migrations", "is already a module"),
        ("src", "is already a module"),
        ("api", "occurs in"),
        ("pg_orders", "PostgreSQL reserves"),
        ("account", "occurs in"),
        (OLD.snake, "already called"),
    ],
)
def test_a_name_that_cannot_be_used_is_rejected(name: str, reason: str, project: Path) -> None:
    """The error gives the reason and a remedy, and no file is changed."""
    with pytest.raises(HarnessError, match=rf"{reason}[^$]*\n  remedy: "):
        rename(project, name)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("title", ['A "quoted" one', "two\nlines", "a: b", "x" * 61, " ", "a\\b", "{title}"])
def test_a_title_that_would_break_a_file_is_rejected(title: str, project: Path) -> None:
    """A title is written to Python, YAML and Markdown unquoted, so it must mean the same in all of them."""
    with pytest.raises(HarnessError, match="is not a valid title"):
        rename(project, FIRST, title)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone that no test changes."""
    return copy(tmp_path_factory.mktemp("clone"))


def test_a_work_tree_with_changes_is_rejected(tmp_path: Path) -> None:
    """An untracked file counts too: rename would miss it."""
    place = copy(tmp_path)
    (place / "notes.txt").write_text("mine\n")
    done = python_of(place, "-m", "tools.rename", FIRST)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "rename: rename needs a work tree without changes, and this one has 1 changed or new file\n"
    )
    assert "git status: notes.txt\n" in done.stderr


@pytest.mark.parametrize(
    ("path", "line", "kebab"),
    [
        ("pyproject.toml", '\nname = "NAME"', True),
        ("pyproject.toml", 'packages = ["src/NAME"]', False),
        ("requirements/app.txt", "    # via NAME (pyproject.toml)", True),
        ("Dockerfile", "docker build -t NAME .", True),
        ("Dockerfile", 'CMD ["python", "-m", "NAME"]', False),
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
def test_the_context_decides_the_form_of_a_name_of_one_word(path: str, line: str, kebab: bool) -> None:
    """Both forms of such a name are spelled alike, so the file and the text around it decide."""
    name = Name("word", "Word")
    text = line.replace("NAME", name.snake)
    found = name.pattern.search(text)
    assert found
    assert is_kebab(path, text, found) is kebab
