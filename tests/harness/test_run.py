"""The command that needs only Python."""

from __future__ import annotations

import ast
import importlib.util
import runpy
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "run.py"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A directory with a space in its path that holds what run.py reads, and no nox."""
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
    """run.py as a module, with its bootstrap in the clone."""
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
    """Python 3.6 parses the whole file, so that it gets as far as the line that says it is too old."""
    ast.parse(RUN.read_text(), feature_version=(3, 6))


def test_an_old_python_is_told_in_one_line_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python below 3.11 ends with one line that names both versions."""
    monkeypatch.setattr(sys, "version_info", (3, 8, 0))
    with pytest.raises(SystemExit, match=r"^run\.py needs Python 3\.11 or newer, and this is 3\.8.*$"):
        runpy.run_path(str(RUN))


def test_windows_is_sent_to_wsl(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it ends with one line that names WSL."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit, match="WSL"):
        runpy.run_path(str(RUN))


@pytest.mark.parametrize(
    ("typed", "passed"),
    [
        ([], []),
        (["dev"], ["--session", "dev", "--"]),
        (["dev", "--port", "9000", "--fresh"], ["--session", "dev", "--", "--port", "9000", "--fresh"]),
        (["env"], ["--session", "env", "--"]),
        (["report", "--", "--from", "x.json"], ["--session", "report", "--", "--from", "x.json"]),
        (["-s", "api", "--", "-k", "x"], ["-s", "api", "--", "-k", "x"]),
    ],
)
def test_short_commands_become_sessions_and_the_rest_goes_to_nox(typed: list[str], passed: list[str]) -> None:
    """`dev`, `env` and `report` become sessions with their options; anything else reaches nox as it was typed."""
    assert runpy.run_path(str(RUN))["nox_arguments"](typed) == passed


@pytest.mark.parametrize(("typed", "code"), [("--help", 0), ("dve", "there is no command 'dve'")])
def test_help_and_a_mistyped_command_show_what_there_is(
    run_py: ModuleType, capsys: pytest.CaptureFixture[str], typed: str, code: int | str
) -> None:
    """Whoever asks, or mistypes, reads this file's own commands and not nox's options."""
    with pytest.raises(SystemExit) as ended:
        run_py.nox_arguments([typed])
    assert str(code) in str(ended.value.code)
    assert "python run.py dev" in capsys.readouterr().out + str(ended.value.code)


def test_a_python_that_cannot_install_is_told_what_to_do(run_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither pip nor ensurepip works it says so, names the remedies, and leaves no half-made bootstrap."""
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", ""))
    with pytest.raises(SystemExit, match=r"neither pip nor ensurepip[^$]*apt install python3-venv"):
        run_py.make_environment()
    assert not run_py.BOOTSTRAP.exists()


def test_a_failed_installation_is_said_and_tried_again(clone: Path) -> None:
    """When pip cannot install, the exit code is 1, the reason is on the screen, and the next run starts over."""
    (clone / "requirements" / "nox.txt").write_text("./nothing-here\n")
    for _ in range(2):
        done = run(clone)
        assert done.returncode == 1
        assert "pip could not install nox.txt" in done.stderr
        assert "installing nox" in done.stderr


@pytest.mark.slow
def test_the_first_run_installs_and_the_next_starts_at_once(clone: Path) -> None:
    """The first run says that it installs and runs nox; the second installs nothing; changed pins install again."""
    first = run(clone)
    assert first.returncode == 0, first.stderr
    assert "installing nox" in first.stderr
    assert "hello was successful" in first.stderr
    began = time.time()
    again = run(clone)
    assert "installing" not in again.stderr
    assert (clone / ".nox" / "_bootstrap" / "stamp").stat().st_mtime < began
    pins = clone / "requirements" / "nox.txt"
    pins.write_text(pins.read_text() + "# changed\n")
    assert "installing nox" in run(clone, "--list").stderr


@pytest.mark.slow
def test_without_a_pip_it_uses_ensurepip(run_py: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that has no pip of its own gets one from ensurepip, in the bootstrap only."""
    monkeypatch.setattr(run_py, "outer_pip", lambda: False)
    pip = run_py.make_environment()
    assert pip[0] == str(run_py.PYTHON)
    assert "pip" in subprocess.run([*pip, "--version"], capture_output=True, text=True, check=True).stdout


def test_files_that_a_clone_keeps_do_not_name_the_project() -> None:
    """The harness, its tests, the revisions and run.py stay as they are when a team gives the project its name."""
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    places = [ROOT / "src" / "harness", ROOT / "tests" / "harness", ROOT / "migrations" / "versions"]
    files = [RUN, *(path for place in places for path in place.rglob("*.py"))]
    assert len(files) > len(places)
    assert [str(path) for path in files if name in path.read_text(encoding="utf-8").lower()] == []
