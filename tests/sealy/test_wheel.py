"""The wheel: what is in it, and that the app runs from it where no source is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from harness.databases.databases import Database

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """The wheel as any front end has it built, by the build tool that the requirements pin."""
    place = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-W", "error", "-m", "hatchling", "build", "--target=wheel", f"--directory={place}"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = place.glob("*.whl")
    with ZipFile(path) as file:
        yield file


def test_the_wheel_holds_the_app_and_nothing_else(wheel: ZipFile) -> None:
    """Every module of the app is in it; no harness, no test, no tool and no migration is."""
    names = {name for name in wheel.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    assert names == {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "sealy").rglob("*.py")}


def test_the_wheel_asks_for_what_the_project_declares(wheel: ZipFile) -> None:
    """Its metadata names the app's dependencies and none of a group, and keeps it from being uploaded by mistake."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = HeaderParser().parsestr(wheel.read(path).decode())
    assert sorted(metadata.get_all("Requires-Dist", [])) == sorted(project["dependencies"])
    assert metadata["Requires-Python"] == project["requires-python"]
    assert "Private :: Do Not Upload" in metadata.get_all("Classifier", [])


def statuses_at(address: str) -> dict[str, int]:
    """What each GET of the app's own document that needs no parameter in its path is answered with."""
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        paths = client.get("/openapi.json").json()["paths"]
        return {path: client.get(path).status_code for path, has in paths.items() if "get" in has and "{" not in path}


def test_the_app_runs_from_the_wheel(wheel: ZipFile, database: Database, tmp_path: Path) -> None:
    """With none of this directory to import, it answers every route that needs no parameter, and warns of nothing."""
    wheel.extractall(tmp_path)
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "APP_DATABASE_URL": database.as_role("app").dsn}
    where = [sys.executable, "-c", "import sealy; print(sealy.__file__)"]
    shown = subprocess.check_output(where, cwd=tmp_path, env=env, text=True)
    assert Path(shown.strip()) == tmp_path / "sealy" / "__init__.py"
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "uvicorn", "--factory", "sealy.main:create_app"]
    with subprocess.Popen([*command, "--port=0"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        log = ""
        while not (started := re.search(r"running on (http://\S+)", log)):
            log += process.stderr.readline() or pytest.fail(log)
        try:
            statuses = statuses_at(started[1])
        finally:
            process.terminate()
            log += process.stderr.read()
    assert {"/health", "/ready"} <= statuses.keys()
    assert set(statuses.values()) == {200}, statuses
    assert "Warning" not in log, log
