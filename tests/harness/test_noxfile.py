"""The sessions of the noxfile, and the pins that they install."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOW = (ROOT / ".github" / "workflows" / "main.yaml").read_text()
PINS = sorted((ROOT / "requirements").glob("*.txt"))


def sessions() -> Iterator[ast.FunctionDef]:
    for node in ast.walk(ast.parse((ROOT / "noxfile.py").read_text())):
        if isinstance(node, ast.FunctionDef) and any("session" in ast.unparse(each) for each in node.decorator_list):
            yield node


def pinned(name: str) -> set[str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return {found.lower().replace("_", "-") for found in re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", text)}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_.-]", each)[0].lower() for each in requirements}


def test_sessions_are_short_and_documented() -> None:
    """A session has fewer than 25 lines, and a one-line docstring as its help text."""
    found = list(sessions())
    assert {"lint", "types", "migrations", "schema", "api", "app", "harness", "dev"} <= {each.name for each in found}
    for session in found:
        assert (session.end_lineno or 0) - session.lineno < 25, session.name
        assert "\n" not in (ast.get_docstring(session) or "\n"), session.name


def test_checks_that_find_nothing_print_nothing() -> None:
    """`lint` runs each program by `check`, which shows the output of a failure only."""
    lint = next(each for each in sessions() if each.name == "lint")
    called = {node.func.id for node in ast.walk(lint) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert called == {"check", "check_workflows"}


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.stem)
def test_pins_hold_hashes_and_no_addresses(path: Path) -> None:
    """Each requirement is one exact version with hashes, without an index, a link or a local path."""
    text = path.read_text()
    assert not re.search(r"(?i)file:|https?:|--(extra-)?index-url|--find-links|^\s*/", text, re.MULTILINE)
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text)[1:]:
        assert re.match(r"[A-Za-z0-9_.-]+==\S+ ", block), block
        assert "--hash=sha256:" in block, block


def test_pins_cover_what_the_project_declares() -> None:
    """app.txt pins the app's dependencies, dev.txt these and all groups but three, which have their own files."""
    app = names(PROJECT["project"]["dependencies"])
    groups = {
        name: names([each for each in group if isinstance(each, str)])
        for name, group in PROJECT["dependency-groups"].items()
    }
    apart = {"deploy", "nox", "plugins"}
    assert app <= pinned("app") <= pinned("dev") <= pinned("deploy")
    assert set().union(*(group for name, group in groups.items() if name not in apart)) <= pinned("dev")
    assert all(groups[name] <= pinned(name) for name in apart)


def test_the_oldest_python_that_runs_is_the_oldest_supported() -> None:
    """The classifiers, which give nox its Python versions, start at requires-python."""
    versions = [each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if ":: Python :: 3." in each]
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"


def test_ci_uses_the_newest_python_where_a_session_names_none() -> None:
    """The only version in the workflow is the last classifier; the noxfile gives it the others."""
    newest = PROJECT["project"]["classifiers"][-1].rpartition(" ")[2]
    assert set(re.findall(r'"(3\.\S+)"', WORKFLOW)) == {newest}


def test_the_required_job_needs_every_other_job() -> None:
    """No job can fail without failing the required one."""
    jobs = yaml.safe_load(WORKFLOW)["jobs"]
    assert {*jobs["required"]["needs"]} == {*jobs} - {"required"}


SHOW = """
import json, os, runpy, sys
from unittest.mock import MagicMock

sys.modules["nox"] = MagicMock()
before = dict(os.environ)
runpy.run_path("noxfile.py")
print(json.dumps({name: value for name, value in os.environ.items() if before.get(name) != value}))
"""


def settings_of_uv(home: Path, **variables: str) -> dict[str, str]:
    """Return the variables that the noxfile sets, without those of this machine's own pip."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PIP_CONFIG_FILE": str(home / "pip.conf"),
        **variables,
    }
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    shown: dict[str, str] = json.loads(done.stdout)
    shown.pop("UV_SYSTEM_CERTS", None)
    return shown


def test_uv_installs_from_where_pip_does(tmp_path: Path) -> None:
    """Index, further indexes, links, hosts and certificates of pip's file and variables, a variable before a file."""
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://file.example\ncert = /etc/ca.pem\nfind-links =\n  /a\n  /b\n"
        "[install]\ntrusted-host = one two\n"
    )
    indexes = {"PIP_INDEX_URL": "https://variable.example", "PIP_EXTRA_INDEX_URL": "https://c https://d"}
    assert settings_of_uv(tmp_path, **indexes) == {
        "UV_INDEX_URL": "https://variable.example",
        "UV_EXTRA_INDEX_URL": "https://c https://d",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/a,/b",
        "UV_INSECURE_HOST": "one two",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    given = settings_of_uv(tmp_path, UV_INDEX_URL="https://own", UV_FIND_LINKS="/c", **indexes)
    assert not {"UV_INDEX_URL", "UV_FIND_LINKS"} & set(given)


def test_uv_caches_in_the_clone_where_there_is_no_home(tmp_path: Path) -> None:
    """uv needs a cache; a home that can be written has it."""
    empty = dict.fromkeys(("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT"), "")
    assert not {"UV_CACHE_DIR", "UV_FIND_LINKS"} & set(settings_of_uv(tmp_path, **empty))
    assert settings_of_uv(Path("/proc/nobody"), **empty)["UV_CACHE_DIR"] == str(ROOT / ".nox" / "uv")
