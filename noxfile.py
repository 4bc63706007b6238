#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.10.20"]
# ///
"""All commands of this repository. `python3 run.py` needs only Python; `uvx nox` and `pipx run nox` do the same.

Arguments after `--` go to pytest: nox -s api -- -k pagination --pg 15
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nox
from nox import registry

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tools.sessions.ending import end_with_nox
from tools.sessions.overview import answer
from tools.sessions.uv_settings import uv_settings

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"

PYPROJECT = nox.project.load_toml("pyproject.toml")
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = nox.project.python_versions(PYPROJECT)
MAJORS = PYPROJECT["tool"]["harness"]["supported"]
IMAGE = "3.13"
"""The Python version of the container image."""

NEXT = ("3.15", 19)
"""Python and PostgreSQL versions that are not supported yet: CI runs them, and allows them to fail."""

TEMPLATE = Path("tests/template").exists()
"""Whether this is the template itself: `rename` removes that folder from a project made from it."""

SUITES = ("migrations", "schema", "api")
"""The folders of tests/ with a session and a marker of the same name."""

HARNESS = ("tests/harness", "tests/tools", "tests/template")
"""The tests of the harness and the tools. In a project only the session `harness` runs them: see tests/conftest.py."""

XDIST = ("-n", "auto", "--maxprocesses", "8", "--dist", "worksteal")
"""Options for long runs. Each worker starts its own PostgreSQL server; more than eight cost more than they save."""

ALL_SUITES = ("-m", "not (nightly or deploy)", *XDIST)
"""Options that select every test for CI, slow ones included."""

STOP_TIMEOUT = 30.0
"""Seconds that a session has to stop its servers."""

SOURCES: dict[str, str | None] = {"PYTHONPATH": str(Path("src").resolve())}
if sys.dont_write_bytecode:  # without bytecode, each start of pytest would compile for seconds
    SOURCES |= {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPYCACHEPREFIX": str(Path(".nox/bytecode").resolve())}
if not os.access(".", os.W_OK):  # a checkout that is mounted read-only
    SOURCES |= {"RUFF_NO_CACHE": "true", "MYPY_CACHE_DIR": os.devnull}

os.environ.update(uv_settings())
end_with_nox()


def run(
    session: nox.Session,
    *arguments: str,
    python: str = CURRENT,
    interrupt_timeout: float = 5.0,
    silent: bool = False,
) -> None:
    """Run `python arguments` in the shared environment of that Python version, with src/ importable.

    What a `silent` program prints is shown only if it fails.
    """
    programs = session.env_dir.parent.resolve() / f"venv-{python.replace('.', '-')}" / "bin"
    if not (programs / "python").exists():
        session.skip(f"Python {python} was not found")
    session.run(
        str(programs / "python"),
        *arguments,
        env={**SOURCES, "PATH": f"{programs}:{os.environ['PATH']}"},
        external=True,
        silent=silent,
        interrupt_timeout=interrupt_timeout,
        terminate_timeout=STOP_TIMEOUT,
    )


def check(session: nox.Session, *arguments: str) -> None:
    """Run a check, which prints nothing unless it finds something."""
    run(session, *arguments, silent=True)


def pytest(session: nox.Session, *arguments: str, python: str = CURRENT) -> None:
    """Run pytest; arguments typed after `--` come last and win."""
    run(session, "-m", "pytest", *arguments, *session.posargs, python=python)


def fast_tests(session: nox.Session, *folders: str, options: tuple[str, ...] = ()) -> None:
    """Run the tests of these folders except the slow ones. A path typed after `--` replaces the folders."""
    pytest(session, "-o", f"testpaths={' '.join(folders)}", "-m", "not (deploy or slow)", *options)


def install(session: nox.Session, name: str, *options: str) -> None:
    """Install requirements/NAME.txt, and show what uv prints except its list of packages."""
    settings = {"UV_COMPILE_BYTECODE": "1", "PIP_QUIET": "1"}  # a start may have no right to write bytecode
    pinned = ("--require-hashes", "-r", f"requirements/{name}.txt", *options)
    without_packages = ["grep", "--line-buffered", "-v", "^ [+~-] "]
    with subprocess.Popen(without_packages, stdin=subprocess.PIPE, stdout=sys.stderr) as shown:
        session.install(*pinned, silent=False, stdout=shown.stdin, env=settings)


SHARED = {"venv_backend": "none", "requires": [f"venv-{CURRENT}"]}
"""Options of a session that runs in the shared environment of the current Python."""

DEFAULT = {**SHARED, "allow_parallel": True}
"""Options of a session of the default run, which runs the sessions in parallel."""


@nox.session(python=sorted({*PYTHONS, CURRENT, NEXT[0]}, key=lambda text: int(text.split(".")[1])), default=False)
def venv(session: nox.Session) -> None:
    """Create the environment that other sessions share, from requirements/dev.txt."""
    install(session, "dev")


DIAGRAM = ("-c", "from paracelsus.cli import app; app()", "inject", "docs/diagram.md")
IMPORTS = ("-c", "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())")
ZIZMOR = ("-c", "import os; os.execvp('zizmor', ['zizmor', '--offline', '--no-progress', '--quiet', '.github'])")


def check_workflows(session: nox.Session) -> None:
    """Check the GitHub files against their schemas and zizmor's security rules, offline."""
    workflows = [str(path) for path in sorted(Path(".github/workflows").glob("*.y*ml"))]
    if workflows:  # a project may build elsewhere
        validate = ("-m", "check_jsonschema", "--quiet", "--builtin-schema")
        check(session, *validate, "vendor.github-workflows", *workflows)
        check(session, *validate, "vendor.dependabot", ".github/dependabot.yml")
        check(session, *ZIZMOR)


@nox.session(**DEFAULT)  # the first one, because it takes longest
def api(session: nox.Session) -> None:
    """Test the API over HTTP."""
    fast_tests(session, "tests/api")


@nox.session(**DEFAULT, tags=["ci"])
def lint(session: nox.Session) -> None:
    """Check style, format, imports between packages, the diagram, the workflows, and the template's English."""
    check(session, "-m", "ruff", "check")
    check(session, "-m", "ruff", "format", "--check")
    check(session, *IMPORTS, "--no-cache")
    check(session, *DIAGRAM, "--check")
    check_workflows(session)
    if TEMPLATE:
        check(session, "-m", "tools.words")


@nox.session(**DEFAULT, tags=["ci"])
def types(session: nox.Session) -> None:
    """Check the types with mypy, in strict mode."""
    run(session, "-m", "mypy", *session.posargs, silent=not session.posargs)


@nox.session(**DEFAULT)
def migrations(session: nox.Session) -> None:
    """Test the migrations: upgrades, downgrades, locks, and the result against the models."""
    fast_tests(session, "tests/migrations")


@nox.session(**DEFAULT)
def schema(session: nox.Session) -> None:
    """Check the migrated schema against its rules."""
    fast_tests(session, "tests/schema")


@nox.session(**DEFAULT)
def app(session: nox.Session) -> None:
    """Run the project's other tests: the folders of tests/ that have no session."""
    others = tuple(f"--ignore={folder}" for folder in (*HARNESS, *(f"tests/{name}" for name in SUITES)))
    fast_tests(session, "tests", options=others)


@nox.session(**DEFAULT, default=TEMPLATE)
def harness(session: nox.Session) -> None:
    """Test the harness and the tools; the template does so by default, a project made from it on request."""
    fast_tests(session, *HARNESS, options=XDIST)


@nox.session(**SHARED, default=False)
def diagram(session: nox.Session) -> None:
    """Write the schema as a diagram into docs/diagram.md."""
    run(session, *DIAGRAM)


@nox.session(**SHARED, default=False)
def fuzz(session: nox.Session) -> None:
    """Send a thousand generated requests to each route."""
    pytest(session, "tests/api/test_fuzz.py", "-m", "nightly")


@nox.session(venv_backend="uv", default=False, tags=["ci"])
def deploy(session: nox.Session) -> None:
    """Check what is deployed: manifests, image, backup, proxies. Skips what needs a missing program, and names it."""
    install(session, "deploy")
    session.run("python", "-m", "pytest", "-m", "deploy", *session.posargs, env=SOURCES)


@nox.session(**SHARED, default=False)
def full(session: nox.Session) -> None:
    """Run every test, including the slow and the nightly ones."""
    pytest(session)


@nox.session(**SHARED, default=False, tags=["ci"])
def coverage(session: nox.Session) -> None:
    """Fail below 100 % coverage of the app or, in the template, 95 % of the harness; writes build/coverage/."""
    run(session, "-m", "coverage", "erase")
    run(session, "-m", "coverage", "run", "-m", "pytest", *ALL_SUITES, *session.posargs)
    run(session, "-m", "coverage", "combine", "--quiet")
    for form in ("html", "xml"):
        run(session, "-m", "coverage", form, "--quiet", "--fail-under=0")
    run(session, "-m", "coverage", "report", "--omit=src/harness/*", "--fail-under=100")
    if TEMPLATE:
        run(session, "-m", "coverage", "report", "--include=src/harness/*", "--fail-under=95")


@nox.session(venv_backend="uv", default=False, tags=["ci"])
def plugins(session: nox.Session) -> None:
    """Run the suites next to other plugins of pytest: asyncio, cov, randomly, rerunfailures, timeout."""
    install(session, "dev", "-r", "requirements/plugins.txt")
    own = ("tests/harness/test_other_plugins.py",) if TEMPLATE else ()
    tests = (*own, *(f"tests/{suite}" for suite in SUITES))
    session.run("python", "-m", "pytest", *tests, "-m", "not slow", *session.posargs, env=SOURCES)


@nox.session(venv_backend="uv", python=PYTHONS[0], default=False, tags=["ci"])
def lowest(session: nox.Session) -> None:
    """Run all suites on the lowest versions that pyproject.toml allows."""
    install(session, "lowest")
    session.run("python", "-m", "pytest", *ALL_SUITES, *session.posargs, env=SOURCES)


def shared(python: str) -> dict[str, Any]:
    """Return the options of a session that runs in the shared environment of one Python version."""
    return {"python": python, "venv_backend": "none", "requires": ["venv-{python}"], "default": False}


def add_suites(python: str, majors: list[int], tag: str) -> None:
    """Add the sessions that run all suites on one Python and each of these PostgreSQL majors."""

    @nox.session(name=f"suites-{python}", **shared(python), tags=[tag])
    @nox.parametrize("pg", majors)
    def suites(session: nox.Session, pg: int) -> None:
        """Run all suites on this Python and PostgreSQL, including the slow tests."""
        pytest(session, *ALL_SUITES, "--ignore=tests/template", f"--pg={pg}", python=python)


def add_template(python: str) -> None:
    """Add the session that tests on one Python what is done to the template."""

    @nox.session(name=f"template-{python}", **shared(python), tags=["ci"])
    def template(session: nox.Session) -> None:
        """Rename, slim and update clones on this Python, and run their suites."""
        pytest(session, "tests/template", "-m", "not nightly", *XDIST, python=python)


for version in PYTHONS:
    add_suites(version, MAJORS, "ci")
    if TEMPLATE:
        add_template(version)
add_suites(NEXT[0], [MAJORS[-1], NEXT[1]], "next")


@nox.session(**SHARED, default=False)
def dev(session: nox.Session) -> None:
    """Run the API and its own PostgreSQL server: -- [--port N] [--fresh] [--rows N]."""
    run(session, "-m", "tools.dev", *session.posargs, interrupt_timeout=0)


@nox.session(**SHARED, default=False)
def revision(session: nox.Session) -> None:
    """Write a migration from the changes of the models, and update the diagram: -- "add due date" | --renumber."""
    run(session, "-m", "tools.revision", *session.posargs)
    run(session, *DIAGRAM)


def check_project(session: nox.Session) -> None:
    """Run the checks and the project's tests after a session that changed all files."""
    for each in ("lint", "types", *SUITES, "app"):
        session.notify(each, posargs=[])


@nox.session(**SHARED, default=False)
def rename(session: nox.Session) -> None:
    """Give the project its name, then check it: -- NAME [--title TITLE]."""
    run(session, "-m", "tools.rename", *session.posargs)
    check_project(session)


@nox.session(**SHARED, default=False)
def slim(session: nox.Session) -> None:
    """Remove the sample, leaving the probes and an empty schema, then check the project."""
    run(session, "-m", "tools.slim", *session.posargs)
    run(session, *DIAGRAM)
    check_project(session)


@nox.session(**SHARED, default=False)
def bench(session: nox.Session) -> None:
    """Measure the cost of a fresh database against other tools: -- [--rounds N] [--runs N] [--pg MAJOR]."""
    run(session, "-m", "tools.bench", *session.posargs)


@nox.session(venv_backend="none", requires=[f"venv-{PYTHONS[0]}", f"venv-{IMAGE}"], default=False)
def coldstart(session: nox.Session) -> None:
    """Measure the CPU time from start to first answer against a bare FastAPI; the image's Python has a limit."""
    run(session, "-m", "tools.coldstart", "--most", "0", *session.posargs, python=PYTHONS[0])
    run(session, "-m", "tools.coldstart", *session.posargs, python=IMAGE)


@nox.session(**SHARED, default=False)
def report(session: nox.Session) -> None:
    """Run migrations, schema and api, and write build/report.html: -- [--from FILE]."""
    run(session, "-m", "tools.report", *session.posargs, interrupt_timeout=STOP_TIMEOUT)


if Path("tools/proof").exists():  # `slim` removes it, because it is about the sample

    @nox.session(**SHARED, default=False)
    def load(session: nox.Session) -> None:
        """Measure requests per second against raw psycopg and a bare endpoint: -- [--rounds N] [--seconds N]."""
        run(session, "-m", "tools.load", *session.posargs)

    @nox.session(**SHARED, default=False)
    def proof(session: nox.Session) -> None:
        """Plant faults in copies of the project, and show that each is caught: -- [ID ...] [--write-docs]."""
        run(session, "-m", "tools.proof", *session.posargs, interrupt_timeout=STOP_TIMEOUT)


@nox.session(venv_backend="uv", default=False)
def env(session: nox.Session) -> None:
    """Create .venv with all dependencies, for editors and for plain pytest."""
    session.run("uv", "venv", "--allow-existing", "--seed", "--python", sys.executable, ".venv", silent=True)
    install(session, "dev", "--python", ".venv")
    packages = Path(".venv/lib", f"python{CURRENT}", "site-packages")
    (packages / "src.pth").write_text(f"{Path('src').resolve()}\n", encoding="utf-8")
    session.log("ready: .venv/bin/pytest -m integration, or: source .venv/bin/activate")


@nox.session(venv_backend="uv", default=False)
def pins(session: nox.Session) -> None:
    """Compile requirements/*.txt from pyproject.toml: -- --upgrade takes the newest versions."""
    for name, source in (
        ("app", ["pyproject.toml"]),
        ("migrate", ["pyproject.toml", "--group=migrate"]),
        ("dev", ["pyproject.toml", "--group=dev"]),
        ("deploy", ["pyproject.toml", "--group=deploy"]),
        ("nox", ["--group=nox"]),
        ("plugins", ["--group=plugins", "--constraint=requirements/dev.txt"]),
        ("lowest", ["pyproject.toml", "--group=dev", "--resolution=lowest-direct"]),
    ):
        target = f"requirements/{name}.txt"
        options = ["--no-config", "--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url"]
        options += ["--custom-compile-command=nox -s pins", f"--output-file={target}", *session.posargs]
        session.run("uv", "pip", "compile", "--quiet", *source, *options)


# A project adds its sessions in sessions.py, which can `from noxfile import SHARED, run`. This file is the template's:
# an update replaces it (docs/updating.md).
if Path("sessions.py").exists():
    sys.modules["noxfile"] = sys.modules[__name__]
    runpy.run_path("sessions.py")

answer(registry.get(), sys.argv[1:])

if __name__ == "__main__":
    nox.main()
