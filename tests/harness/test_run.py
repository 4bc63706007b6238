"""run.py, which needs only Python."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import re
import runpy
import select
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "run.py"

PATIENCE = 60
"""Seconds to wait for sessions to start or end."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A directory with a space in its path, with the files that run.py reads and without nox."""
    place = tmp_path / "a clone"
    (place / "requirements").mkdir(parents=True)
    shutil.copy(RUN, place)
    shutil.copy(ROOT / "requirements" / "nox.txt", place / "requirements")
    (place / "noxfile.py").write_text(
        "import nox\n\n\n@nox.session(venv_backend='none')\ndef hello(session):\n    pass\n"
    )
    return place


@pytest.fixture
def run_py(clone: Path) -> ModuleType:
    """run.py as a module whose bootstrap is in the clone."""
    spec = importlib.util.spec_from_file_location("run_py", clone / "run.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run.py", *arguments],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_can_read_it() -> None:
    """Python 3.6 parses the whole file, and so reaches the check of its version."""
    ast.parse(RUN.read_text(), feature_version=(3, 6))


def test_an_old_python_gets_one_line_about_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below Python 3.11 it exits with one line that names both versions."""
    monkeypatch.setattr(sys, "version_info", (3, 8, 0))
    with pytest.raises(SystemExit, match=r"^run\.py needs Python 3\.11 or newer, and this is 3\.8.*$"):
        runpy.run_path(str(RUN))


def test_windows_users_are_pointed_to_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it exits with one line that names WSL."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="WSL"):
        runpy.run_path(str(RUN))


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        ([], ["--parallel", "auto"]),
        (["dev"], ["--session", "dev", "--"]),
        (["dev", "--port", "9000", "--fresh"], ["--session", "dev", "--", "--port", "9000", "--fresh"]),
        (["env"], ["--session", "env", "--"]),
        (["report", "--", "--from", "x.json"], ["--session", "report", "--", "--from", "x.json"]),
        (["lint"], ["--session", "lint", "--"]),
        (["api", "-k", "tags"], ["--session", "api", "--", "-k", "tags"]),
        (["suites-3.13(pg=15)"], ["--session", "suites-3.13(pg=15)", "--"]),
        (["-s", "api", "--", "-k", "x"], ["-s", "api", "--", "-k", "x"]),
    ],
)
def test_a_name_becomes_a_session_and_options_go_to_nox(typed: list[str], passed: list[str]) -> None:
    """No argument runs all in parallel; what follows a session's name goes to it; nox gets options as typed."""
    assert runpy.run_path(str(RUN))["nox_arguments"](typed) == passed


def test_help_lists_the_commands(run_py: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` prints the commands of run.py, not the options of nox."""
    with pytest.raises(SystemExit, match="0"):
        run_py.nox_arguments(["--help"])
    assert "python3 run.py dev" in capsys.readouterr().out


def test_a_checkout_with_nox_installed_is_not_written_to(run_py: ModuleType, clone: Path) -> None:
    """It may be mounted read-only; a bootstrap that is out of date is made again, behind a lock."""
    run_py.BOOTSTRAP.mkdir(parents=True)
    run_py.STAMP.write_text(run_py.fingerprint())
    run_py.bootstrap()
    assert [path.name for path in (clone / ".nox").iterdir()] == ["_bootstrap"]


def test_a_python_without_an_installer_gets_remedies(run_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pip and ensurepip it says so, names the remedies, and leaves no partial bootstrap."""
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", ""))
    with pytest.raises(SystemExit, match=r"neither pip nor ensurepip[^$]*apt install python3-venv"):
        run_py.make_environment()
    assert not run_py.BOOTSTRAP.exists()


def test_a_failed_installation_is_reported_and_retried(
    run_py: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When pip fails, the error names the file, the exit code is 1, and the next run installs again."""
    monkeypatch.setattr(run_py, "make_environment", lambda: [sys.executable, "-c", "raise SystemExit(3)"])
    for _ in range(2):
        with pytest.raises(SystemExit, match=r"pip could not install nox\.txt"):
            run_py.bootstrap()
        assert "installing nox" in capsys.readouterr().err


def test_a_comment_of_the_pins_does_not_install_again(run_py: ModuleType) -> None:
    """Such as `# via NAME`, which a renamed project changes; another version or hash does."""
    installed, pins = run_py.fingerprint(), run_py.PINS.read_text()
    run_py.PINS.write_text("# made by hand\n" + pins.replace("# via nox", "# via\n    #   nox\n    #   other"))
    assert run_py.fingerprint() == installed
    run_py.PINS.write_text(pins.replace("sha256:6", "sha256:7", 1))
    assert run_py.fingerprint() != installed


@pytest.mark.slow
def test_only_the_first_run_installs(clone: Path) -> None:
    """The first run installs nox and says so; the second does not; changed pins install again."""
    first = run(clone)
    assert first.returncode == 0, first.stderr
    assert "installing nox" in first.stderr
    assert "hello was successful" in first.stderr
    began = time.time()
    again = run(clone)
    assert "installing" not in again.stderr
    assert (clone / ".nox" / "_bootstrap" / "stamp").stat().st_mtime < began
    pins = clone / "requirements" / "nox.txt"
    pins.write_text(pins.read_text() + "--prefer-binary\n")
    assert "installing nox" in run(clone, "--list").stderr


@pytest.mark.slow
def test_without_pip_it_uses_ensurepip(run_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """If Python has no pip, ensurepip installs one, in the bootstrap only."""
    monkeypatch.setattr(run_py, "outer_pip", lambda: False)
    pip = run_py.make_environment()
    assert pip[0] == str(run_py.PYTHON)
    assert "pip" in subprocess.run([*pip, "--version"], capture_output=True, text=True, check=True).stdout


SESSIONS = """
import nox
from noxfile import check


@nox.session(venv_backend="none", allow_parallel=True)
def one(session: nox.Session) -> None:
    session.run("sh", "-c", "echo $$ > started; exec sleep 600", external=True)


@nox.session(venv_backend="none", allow_parallel=True)
def two(session: nox.Session) -> None:
    session.run("sh", "-c", "echo $$ > started; exec sleep 600", external=True)


@nox.session(venv_backend="none", allow_parallel=True)
def passes(session: nox.Session) -> None:
    session.log("nothing to do")


@nox.session(venv_backend="none", allow_parallel=True)
def fails(session: nox.Session) -> None:
    session.run("sh", "-c", "echo on purpose; exit 3", external=True)


@nox.session(venv_backend="none", default=False)
def checks(session: nox.Session) -> None:
    check(session, "-c", f"print('che' 'cked'); raise SystemExit({session.posargs[0]})")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This noxfile in another directory, with two long sessions, and nox installed."""
    place = tmp_path_factory.mktemp("installed")
    (place / "requirements").mkdir()
    for name in ("run.py", "noxfile.py", "pyproject.toml", "requirements/nox.txt"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "tools" / "sessions", place / "tools" / "sessions")
    shutil.copy(ROOT / "requirements" / "nox.txt", place / "requirements" / "dev.txt")
    (place / "sessions.py").write_text(SESSIONS)
    os.mkfifo(place / "started")
    for folder in ("tests/template", "tools/proof"):  # the noxfile defines sessions for these
        (place / folder).mkdir(parents=True)
    listed = run(place, "--list", "--json", "--tags", "ci", "--no-dependencies")
    assert listed.returncode == 0, listed.stderr
    return place


def gone(pid: int) -> bool:
    """Whether the process ends."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not shown.stdout.strip() or shown.stdout.startswith("Z"):  # a zombie waits for its new parent only
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_parallel_sessions_end_with_nox(installed: Path, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and SIGKILL of nox end every session, and the programs of each."""
    command = [sys.executable, "run.py", "--parallel", "2", "--session", "one", "two"]
    started, printed = os.open(installed / "started", os.O_RDWR), b""
    with subprocess.Popen(command, cwd=installed, stdout=subprocess.PIPE, start_new_session=True) as process:
        while printed.count(b"\n") < 2 and select.select([started], [], [], PATIENCE)[0]:
            printed += os.read(started, 64)
        process.send_signal(number)
        process.communicate()
    os.close(started)
    assert process.returncode != 0
    assert printed.count(b"\n") == 2
    assert all(gone(pid) for pid in map(int, printed.split()))


@pytest.mark.slow
def test_a_parallel_session_that_fails_is_named_at_the_end(installed: Path) -> None:
    """Its output is printed as one block, the last lines name it, and the exit code is not 0."""
    done = run(installed, "--parallel", "2", "--session", "fails", "passes")
    assert done.returncode != 0
    assert "on purpose" in done.stdout
    assert "fails: failed" in "".join((done.stdout + done.stderr).splitlines()[-3:])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["lnt"], "there is no session 'lnt': did you mean 'lint'?"),
        (["-s", "lint", "tpyes"], "there is no session 'tpyes': did you mean 'types'?"),
        (["suits-3.11(pg=15)"], "there is no session 'suits-3.11(pg=15)': did you mean 'suites-3.11'?"),
        (["xyzzy"], "there is no session 'xyzzy'"),
        (["lint", "types"], "'types' is a session too: for both, python3 run.py -s lint types"),
    ],
)
def test_a_session_that_does_not_exist_is_refused_with_a_suggestion(
    installed: Path, typed: list[str], said: str
) -> None:
    """The error is two lines and the only output; the exit code is 2."""
    done = run(installed, *typed)
    assert done.stdout == ""
    assert done.stderr == f"run.py: {said}\n  python3 run.py -l lists all sessions\n"
    assert done.returncode == 2


@pytest.mark.slow
def test_the_list_begins_with_what_is_used_every_day(installed: Path) -> None:
    """The default sessions are marked, those of each Python are one line, and no other session is missing."""
    done = run(installed, "-l")
    _, _, *lines = done.stdout.splitlines()
    names = [line[2:].split()[0] for line in lines[:-1] if line]
    assert names[:6] == ["dev", "env", "report", "revision", "api", "lint"]
    assert [line[0] for line in lines[:6]] == [" ", " ", " ", " ", "*", "*"]
    every = json.loads(run(installed, "--list", "--json", "--keywords", "not nothing", "--no-dependencies").stdout)
    single = {each["session"] for each in every if "-3." not in each["session"]}
    assert {*names} == single
    assert re.search(r"venv-3\.11 … .*, suites-3\.11\(pg=15\) … suites-3\.\d+\(pg=\d+\), template-3\.11 … ", lines[-1])


@pytest.mark.slow
@pytest.mark.parametrize("option", ["-l", "--help"])
def test_a_list_may_be_cut_by_its_reader(installed: Path, option: str) -> None:
    """`| head` leaves before the last line, and nothing is said about it."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "run.py", option]
    done = subprocess.run(command, cwd=installed, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")


@pytest.mark.slow
def test_nox_itself_reads_the_noxfile_from_any_directory(installed: Path, tmp_path: Path) -> None:
    """What the noxfile imports is found next to it."""
    command = [str(installed / ".nox/_bootstrap/bin/nox"), "-f", str(installed / "noxfile.py"), "-l"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (run(installed, "-l").stdout, "")


@pytest.mark.slow
def test_an_installation_shows_progress_and_a_check_only_what_it_found(installed: Path) -> None:
    """No package is listed; a check that succeeds prints nothing, and one that fails prints all."""
    environment = f"venv-{sys.version_info.major}.{sys.version_info.minor}"
    first = run(installed, environment)
    assert first.returncode == 0, first.stderr
    assert re.search(r"^Installed \d+ packages", first.stderr, re.MULTILINE)
    assert "==" not in first.stdout + first.stderr
    good, bad = (run(installed, "checks", code) for code in "01")
    assert (good.returncode, "checked" in good.stdout + good.stderr) == (0, False)
    assert (bad.returncode, "checked\n" in bad.stdout + bad.stderr) == (1, True)
    pins = installed / "requirements" / "dev.txt"
    pins.write_text(pins.read_text() + "no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    failed = run(installed, environment)
    assert failed.returncode == 1
    assert "no-such-package" in failed.stderr
    assert failed.stderr.count("No solution found") == 1


def test_files_that_rename_keeps_do_not_name_the_project() -> None:
    """Renaming leaves the harness, its tests, the revisions and run.py unchanged."""
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    places = [ROOT / "src" / "harness", ROOT / "tests" / "harness", ROOT / "migrations" / "versions"]
    files = [RUN, *(path for place in places for path in place.rglob("*.py"))]
    assert len(files) > len(places)
    assert [str(path) for path in files if name in path.read_text(encoding="utf-8").lower()] == []
