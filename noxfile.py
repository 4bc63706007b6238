#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]>=2026.10.20"]
# ///
"""All that can be run here. `python run.py` needs only Python; `uvx nox` and `pipx run nox` do the same.

What stands after `--` goes to pytest: nox -s api -- -k pagination --pg 15
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

import nox

nox.needs_version = ">=2025.11.12"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"

PROJECT = nox.project.load_toml("pyproject.toml")
TODAY = f"{sys.version_info.major}.{sys.version_info.minor}"
PYTHONS = nox.project.python_versions(PROJECT)
MAJORS = PROJECT["tool"]["harness"]["supported"]
IMAGE = "3.13"
"""The Python of the image that the Dockerfile makes."""

NEXT = ("3.15", 19)
"""A Python and a Postgres that are not promised yet: CI runs them and lets them fail."""

UNTIL_CLEAN = 30.0
"""Seconds that a session has for stopping its servers."""

BYTECODE: dict[str, str | None] = {}
"""Where bytecode may not lie beside the sources, it lies in .nox: else each start of pytest compiles for seconds."""
if sys.dont_write_bytecode:
    BYTECODE = {"PYTHONDONTWRITEBYTECODE": None, "PYTHONPYCACHEPREFIX": str(Path(".nox/bytecode").resolve())}

# nox itself leaves its children alone when it is terminated; as an interrupt it stops them first.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def end_with(parent: int) -> None:
    """End this session and all that it started once the nox that runs it beside others is gone, by kill -9 say."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(0, signal.SIGTERM)


if "--parallel-worker" in sys.argv:
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()


def run(session: nox.Session, *arguments: str, python: str = TODAY, interrupt_timeout: float = 5.0) -> None:
    """Run `python arguments` in the environment of `python`, which all sessions share, with src/ importable."""
    programs = session.cache_dir.parent.resolve() / f"venv-{python.replace('.', '-')}" / "bin"
    if not (programs / "python").exists():
        session.skip(f"Python {python} was not found")
    environment = {"PYTHONPATH": str(Path("src").resolve()), "PATH": f"{programs}:{os.environ['PATH']}", **BYTECODE}
    session.run(
        str(programs / "python"),
        *arguments,
        env=environment,
        external=True,
        interrupt_timeout=interrupt_timeout,
        terminate_timeout=UNTIL_CLEAN,
    )


def pytest(session: nox.Session, *arguments: str, python: str = TODAY) -> None:
    """Run tests; what was typed after `--` comes last, so that it wins."""
    run(session, "-m", "pytest", *arguments, *session.posargs, python=python)


SUITES = ("migrations", "schema", "api")
"""The folders below tests/ that have a session of their own."""


def suite(session: nox.Session, name: str) -> None:
    """Run one of them without its slow tests, and collect no other, unless what was typed names a place."""
    pytest(session, "-o", f"testpaths=tests/{name}", "-m", "not slow")


PARALLEL = ("-n", "auto", "--maxprocesses", "8", "--dist", "worksteal")
"""How the long runs use the cores; each worker has a Postgres of its own, which more of them would not win back."""

SHARED = {"venv_backend": "none", "requires": [f"venv-{TODAY}"]}
"""The options of a session that runs in the shared environment of today's Python."""

BESIDE = {**SHARED, "allow_parallel": True}
"""The same for those of the default run: `--parallel` runs them beside each other, the longest last."""


@nox.session(python=sorted({*PYTHONS, TODAY, NEXT[0]}, key=lambda text: int(text.split(".")[1])), default=False)
def venv(session: nox.Session) -> None:
    """Make the environment that the other sessions share, from requirements/dev.txt."""
    compiled = {"UV_COMPILE_BYTECODE": "1"}  # once here, instead of in each start where bytecode may not be written
    session.install("--require-hashes", "-r", "requirements/dev.txt", silent=False, env=compiled)


DIAGRAM = ("-c", "from paracelsus.cli import app; app()", "inject", "docs/diagram.md")
IMPORTS = ("-c", "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())")
ZIZMOR = ("-c", "import os; os.execvp('zizmor', ['zizmor', '--offline', '--no-progress', '--quiet', '.github'])")


def check_workflows(session: nox.Session) -> None:
    """Hold what GitHub reads against its schemas, and against zizmor's rules of security; without a network."""
    workflows = [str(path) for path in sorted(Path(".github/workflows").glob("*.y*ml"))]
    if workflows:  # a project may build elsewhere
        form = ("-m", "check_jsonschema", "--quiet", "--builtin-schema")
        run(session, *form, "vendor.github-workflows", *workflows)
        run(session, *form, "vendor.dependabot", ".github/dependabot.yml")
        run(session, *ZIZMOR)


@nox.session(**BESIDE, tags=["ci"])
def lint(session: nox.Session) -> None:
    """Check style, format, who may import whom, the workflows, and that the schema's diagram is today's."""
    run(session, "-m", "ruff", "check")
    run(session, "-m", "ruff", "format", "--check")
    run(session, *IMPORTS)
    run(session, *DIAGRAM, "--check")
    check_workflows(session)


@nox.session(**SHARED, default=False)
def erd(session: nox.Session) -> None:
    """Write the schema as a diagram into docs/diagram.md."""
    run(session, *DIAGRAM)


@nox.session(**BESIDE, tags=["ci"])
def types(session: nox.Session) -> None:
    """Check the types, strictly."""
    run(session, "-m", "mypy", *session.posargs)


@nox.session(**BESIDE)
def migrations(session: nox.Session) -> None:
    """Test the migrations: up, down, against the models, and under a replica's eyes."""
    suite(session, "migrations")


@nox.session(**BESIDE)
def schema(session: nox.Session) -> None:
    """Judge the migrated schema by its rules."""
    suite(session, "schema")


@nox.session(**BESIDE)
def api(session: nox.Session) -> None:
    """Test the API from outside, over HTTP."""
    suite(session, "api")


@nox.session(**SHARED, default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz every route with a thousand requests."""
    pytest(session, "tests/api/test_fuzz.py", "-m", "nightly")


@nox.session(**BESIDE)
def harness(session: nox.Session) -> None:
    """Test the harness itself, the roles, and the commands."""
    pytest(session, "-m", "not (deploy or slow)", *(f"--ignore=tests/{name}" for name in SUITES), *PARALLEL)


@nox.session(venv_backend="uv", default=False, tags=["ci"])
def deploy(session: nox.Session) -> None:
    """Judge what runs on hosts: manifests, image, backup, proxies; says which of their tools are missing."""
    session.install("--require-hashes", "-r", "requirements/deploy.txt")
    source = {"PYTHONPATH": str(Path("src").resolve()), **BYTECODE}
    session.run("python", "-m", "pytest", "-m", "deploy", *session.posargs, env=source)


@nox.session(**SHARED, default=False)
def full(session: nox.Session) -> None:
    """Run every test, the slow ones too."""
    pytest(session)


@nox.session(**SHARED, default=False, tags=["ci"])
def coverage(session: nox.Session) -> None:
    """Fail where the tests leave out a line or branch of the app, or more than 5 % of the harness; build/coverage/."""
    tests = ("-m", "pytest", "-m", "not (nightly or deploy)", *PARALLEL, *session.posargs)
    run(session, "-m", "coverage", "erase")
    run(session, "-m", "coverage", "run", *tests)
    run(session, "-m", "coverage", "combine", "--quiet")
    for form in ("html", "xml"):
        run(session, "-m", "coverage", form, "--quiet", "--fail-under=0")
    run(session, "-m", "coverage", "report", "--include=src/harness/*", "--fail-under=95")
    run(session, "-m", "coverage", "report", "--omit=src/harness/*", "--fail-under=100")


@nox.session(venv_backend="uv", python=PYTHONS[0], default=False, tags=["ci"])
def lowest(session: nox.Session) -> None:
    """Run all suites on the lowest versions that pyproject.toml allows."""
    session.install("--require-hashes", "-r", "requirements/lowest.txt")
    source = {"PYTHONPATH": str(Path("src").resolve()), **BYTECODE}
    session.run("python", "-m", "pytest", "-m", "not (nightly or deploy)", *PARALLEL, *session.posargs, env=source)


def suites_of(python: str, majors: list[int], tag: str) -> None:
    """Register the sessions that run all suites on one Python and each of `majors`."""

    @nox.session(
        name=f"suites-{python}",
        python=python,
        venv_backend="none",
        requires=["venv-{python}"],
        default=False,
        tags=[tag],
    )
    @nox.parametrize("pg", majors)
    def suites(session: nox.Session, pg: int) -> None:
        """Run all suites on this Python and this Postgres, slow tests included."""
        suites = ("-m", "not (nightly or deploy)", "--ignore=tests/template", f"--pg={pg}")
        pytest(session, *suites, *PARALLEL, python=python)


def template_on(python: str) -> None:
    """Register the session that tests on one Python what is done to the template."""

    @nox.session(
        name=f"template-{python}",
        python=python,
        venv_backend="none",
        requires=["venv-{python}"],
        default=False,
        tags=["ci"],
    )
    def template(session: nox.Session) -> None:
        """Rename, slim and update scratch clones on this Python, and run their own suites."""
        pytest(session, "tests/template", "-m", "not nightly", *PARALLEL, python=python)


for each in PYTHONS:
    suites_of(each, MAJORS, "ci")
    if Path("tests/template").exists():  # `rename` takes them out, as what they test is done once
        template_on(each)
suites_of(NEXT[0], [MAJORS[-1], NEXT[1]], "next")


@nox.session(**SHARED, default=False)
def dev(session: nox.Session) -> None:
    """Run the API with a Postgres of its own: -- [--port N] [--fresh] [--rows N]."""
    run(session, "-m", "tools.dev", *session.posargs, interrupt_timeout=0)


@nox.session(**SHARED, default=False)
def revision(session: nox.Session) -> None:
    """Write a migration from what changed in the models, and draw them anew: -- "add due date"."""
    run(session, "-m", "tools.revision", *session.posargs)
    run(session, *DIAGRAM)


def check_after(session: nox.Session) -> None:
    """Run what a change of everything must leave green, when it succeeded."""
    for each in ("lint", "types", "migrations", "schema", "api"):
        session.notify(each, posargs=[])


@nox.session(**SHARED, default=False)
def rename(session: nox.Session) -> None:
    """Give the project its name, and check it: -- NAME [--title TITLE]."""
    run(session, "-m", "tools.rename", *session.posargs)
    check_after(session)


@nox.session(**SHARED, default=False)
def slim(session: nox.Session) -> None:
    """Take the sample resource out, down to the probes and an empty schema, and check what is left."""
    run(session, "-m", "tools.slim", *session.posargs)
    run(session, *DIAGRAM)
    check_after(session)


@nox.session(**SHARED, default=False)
def bench(session: nox.Session) -> None:
    """Measure what a fresh database costs, beside the other ways to one: -- [--rounds N] [--runs N] [--pg MAJOR]."""
    run(session, "-m", "tools.bench", *session.posargs)


@nox.session(venv_backend="none", requires=[f"venv-{PYTHONS[0]}", f"venv-{IMAGE}"], default=False)
def coldstart(session: nox.Session) -> None:
    """Measure the CPU of a start to the first answer, beside a bare FastAPI; the image's Python is judged."""
    run(session, "-m", "tools.coldstart", "--most", "0", *session.posargs, python=PYTHONS[0])
    run(session, "-m", "tools.coldstart", *session.posargs, python=IMAGE)


@nox.session(**SHARED, default=False)
def report(session: nox.Session) -> None:
    """Run migrations, schema and api, and write what they find as one HTML page: -- [--from FILE]."""
    run(session, "-m", "tools.report", *session.posargs, interrupt_timeout=UNTIL_CLEAN)


if Path("tools/proof").exists():  # `slim` takes both out, as they speak of the sample

    @nox.session(**SHARED, default=False)
    def load(session: nox.Session) -> None:
        """Measure requests a second beside raw psycopg and a bare endpoint: -- [--rounds N] [--seconds N]."""
        run(session, "-m", "tools.load", *session.posargs)

    @nox.session(**SHARED, default=False)
    def proof(session: nox.Session) -> None:
        """Plant faults one at a time in copies, and show that each is caught: -- [ID ...] [--write-docs]."""
        run(session, "-m", "tools.proof", *session.posargs, interrupt_timeout=UNTIL_CLEAN)


@nox.session(venv_backend="uv", default=False)
def env(session: nox.Session) -> None:
    """Make .venv with everything in it, for editors and for plain pytest."""
    session.run("uv", "venv", "--allow-existing", "--seed", "--python", sys.executable, ".venv")
    session.run("uv", "pip", "install", "--python", ".venv", "--require-hashes", "-r", "requirements/dev.txt")
    packages = Path(".venv/lib", f"python{TODAY}", "site-packages")
    (packages / "src.pth").write_text(f"{Path('src').resolve()}\n", encoding="utf-8")
    session.log("ready: .venv/bin/pytest -m integration, or: source .venv/bin/activate")


@nox.session(venv_backend="uv", default=False)
def pins(session: nox.Session) -> None:
    """Write requirements/*.txt anew from pyproject.toml: -- --upgrade takes the newest versions."""
    for name, source in (
        ("app", ["pyproject.toml"]),
        ("migrate", ["pyproject.toml", "--group=migrate"]),
        ("dev", ["pyproject.toml", "--group=dev"]),
        ("deploy", ["pyproject.toml", "--group=deploy"]),
        ("nox", ["--group=nox"]),
        ("lowest", ["pyproject.toml", "--group=dev", "--resolution=lowest-direct"]),
    ):
        target = f"requirements/{name}.txt"
        options = ["--no-config", "--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url"]
        options += ["--custom-compile-command=nox -s pins", f"--output-file={target}", *session.posargs]
        session.run("uv", "pip", "compile", "--quiet", *source, *options)


# A project's own sessions stand in sessions.py, which may say `from noxfile import SHARED, run`: this file is the
# template's, and is taken anew with each update (docs/updating.md).
if Path("sessions.py").exists():
    sys.modules["noxfile"] = sys.modules[__name__]
    runpy.run_path("sessions.py")

if __name__ == "__main__":
    nox.main()
