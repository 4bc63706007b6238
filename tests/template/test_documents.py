"""The commands in the pages work: each session, option, marker and subcommand exists."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from harness.databases.databases import Database
from tests.template.clones import ROOT, python_of

pytestmark = pytest.mark.slow

PAGES = ("README.md", "CONTRIBUTING.md", "AGENTS.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
TYPED = re.compile(
    r"`((?:python3 run\.py|python -m harness|nox|uvx nox|pipx run nox|pytest)(?: [^`\n]+)?)`"
    r"|^(?:\$ )?((?:python3 run\.py|python -m harness|nox|pytest)(?: .+)?)$",
    re.MULTILINE,
)
RUNNERS = ("python3 run.py", "uvx nox", "pipx run nox", "nox")
TESTS = {"api": "api", "full": "", "migrations": "migrations", "schema": "schema"}
"""Sessions that pass arguments to pytest, and the marker that each selects."""


@cache
def pages() -> str:
    """Return the text of all pages."""
    return "\n".join((ROOT / path).read_text(encoding="utf-8") for path in PAGES)


def commands(*beginnings: str) -> list[str]:
    """Return the commands in the pages that begin so, without comments, each once."""
    typed = {shlex.join(shlex.split(inline or block, comments=True)) for inline, block in TYPED.findall(pages())}
    return sorted(command for command in typed if command.startswith(beginnings))


@cache
def sessions() -> dict[str, str]:
    """Return each session of the noxfile, with the module of tools that it runs or ""."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(each) for each in node.decorator_list):
            module = re.search(r"'-m', '(tools\.\w+)'", ast.unparse(node))
            found[node.name] = module[1] if module else ""
    return found


@cache
def printed(*words: str) -> str:
    """Return what a module prints."""
    return python_of(ROOT, "-m", *words).stdout


def asked(command: str) -> tuple[list[str], list[str]]:
    """Return the sessions that a command selects, and their arguments."""
    before, _, after = command.partition(" -- ")
    words = shlex.split(before.removeprefix(next(each for each in RUNNERS if before.startswith(each))))
    if command.startswith("python3 run.py") and words and not words[0].startswith("-"):
        return [re.sub(r"-3\.\d+(\(pg=\d+\))?$", "", words[0])], [*words[1:], *shlex.split(after)]
    chosen = words[words.index("-s") + 1 :] if "-s" in words else []
    return [re.sub(r"-3\.\d+\(pg=\d+\)$", "", name) for name in chosen], shlex.split(after)


@pytest.mark.parametrize("command", commands(*RUNNERS))
def test_sessions_in_the_pages_exist_and_have_their_options(command: str) -> None:
    """No page names a session, or an option of one, that no longer exists."""
    names, said = asked(command)
    options = [word for word in said if word.startswith("--")]
    for name in names:
        assert name in sessions(), name
        if options and sessions()[name]:
            assert not [option for option in options if option not in printed(sessions()[name], "--help")]


def selections() -> set[str]:
    """Return pytest's arguments in the pages, given directly or through a session."""
    found = {command.removeprefix("pytest").strip() for command in commands("pytest")}
    for names, said in map(asked, commands(*RUNNERS)):
        found |= {shlex.join(["-m", TESTS[name], *said]) for name in names if said and name in TESTS}
    return found


@pytest.mark.parametrize("arguments", sorted(selections()))
def test_pytest_knows_the_options_and_markers_in_the_pages(arguments: str) -> None:
    """Every option and marker that a page passes to pytest exists."""
    words = shlex.split(arguments)
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    assert not [option for option in options if option not in printed("pytest", "--help")]
    for expression in (value for option, value in pairwise(words) if option == "-m"):
        named = set(re.findall(r"\w+", expression)) - {"and", "or", "not"}
        assert not [name for name in named if f"@pytest.mark.{name}:" not in printed("pytest", "--markers")]


@pytest.mark.parametrize("command", commands("python -m harness"))
def test_subcommands_in_the_pages_exist_and_have_their_options(command: str) -> None:
    """No page names a subcommand of the harness, or an option of one, that does not exist."""
    subcommand, *rest = shlex.split(command)[3:]
    shown = printed("harness", subcommand, "--help")
    assert shown, f"there is no {subcommand}"
    assert not [option for option in re.findall(r"--[a-z-]+", " ".join(rest)) if option not in shown]


@pytest.mark.parametrize("command", ["postgres", "schema postgresql://…", "migrations 0006"])
def test_a_subcommand_runs_on_the_project(command: str, database: Database) -> None:
    """It finds nothing to complain of: exit code 0."""
    assert f"`python -m harness {command}`" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    words = command.replace("postgresql://…", database.as_role("readonly").dsn).split()
    done = python_of(ROOT, "-m", "harness", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_relative_links_are_not_broken() -> None:
    """Every relative link leads to a file."""
    link = re.compile(r"\]\((?!https?:|#|\.\./\.\./actions)([^)#]+)")
    code = re.compile(r"```.*?```", re.DOTALL)
    texts = {path: code.sub("", (ROOT / path).read_text(encoding="utf-8")) for path in PAGES}
    links = [(path, target) for path, text in texts.items() for target in link.findall(text)]
    assert not [(path, target) for path, target in links if not ((ROOT / path).parent / target).exists()]


def test_the_page_of_the_architecture_has_every_layer_and_every_module() -> None:
    """Its layers are those of the import contract, in order, and each module and package of the harness has a line."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("containers") == ["harness"])
    layered = [re.findall(r"\w+", layer) for layer in layers]
    drawn = [re.findall(r"\w+", line.partition("  ")[0]) for line in page.split("```text\n")[2].splitlines()]
    assert drawn[: len(layered)] == layered
    modules = {path.name for path in (ROOT / "src" / "harness").iterdir() if path.suffix == ".py" or path.is_dir()}
    listed = {name.rstrip("/") for name in re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)}
    assert modules - {"__init__.py", "__pycache__"} <= listed
    names = {*listed, *re.findall(r"`([\w/]+\.(?:py|sql))`", page)}
    assert not [name for name in names if not (ROOT / name).exists() and not (ROOT / "src" / "harness" / name).exists()]


def test_a_file_that_a_page_names_is_there() -> None:
    """A path of the template that is written on a page exists; what a page has the reader write is its own matter."""
    named = re.compile(r"`((?:src/harness|tests/harness|tools|deploy|\.github)/[\w./-]+\.\w+)`")
    files = [(path, name) for path in PAGES for name in named.findall((ROOT / path).read_text(encoding="utf-8"))]
    assert not [(path, name) for path, name in files if not (ROOT / name).exists()]


def test_the_pipeline_for_gitlab_is_valid(tmp_path: Path) -> None:
    """GitLab's own schema takes the example of docs/ci.md."""
    block = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    (tmp_path / "pipeline.yml").write_text(block[1], encoding="utf-8")
    form = ("--builtin-schema", "vendor.gitlab-ci")
    done = python_of(ROOT, "-m", "check_jsonschema", *form, str(tmp_path / "pipeline.yml"))
    assert done.returncode == 0, done.stdout
