"""What the tests of hosts share: the project's root, the app under the image's own command line, and the images."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.config import Config
from tests.deploy.containers import Engine, find_engine
from tests.deploy.manifests import base_image, image_command

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("deploy")


@dataclass
class Served:
    """The app as a separate process, and where it answers."""

    base_url: str
    process: subprocess.Popen[bytes]
    log: Path


Serve = Callable[..., AbstractContextManager[Served]]


def free_port() -> int:
    """A loopback port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def listening(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a process listens; its log fails the test when it ends instead."""
    deadline = time.monotonic() + 60
    while not listening(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


@contextlib.contextmanager
def started(command: list[str], environment: dict[str, str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server on `port` that is ended with the test."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        wait_for(process, port, log)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def serve(tmp_path: Path, harness_config: Config) -> Serve:
    """`serve(APP_…=…)`: the app under the command line of the image, with these variables and those of the tests."""

    @contextlib.contextmanager
    def serve(**variables: str) -> Iterator[Served]:
        port = int(variables.get("PORT") or free_port())
        log = tmp_path / f"app-{port}.log"
        programs = Path(sys.executable).parent
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "PORT": str(port),
            **harness_config.environment,
            **variables,
        }
        with started(image_command(), environment, port, log) as process:
            yield Served(f"http://127.0.0.1:{port}", process, log)

    return serve


@pytest.fixture(scope="session")
def engine() -> Engine:
    """What builds and runs here, with the base image at hand; skipped, with the reason, where there is none."""
    found = find_engine()
    if found is None:
        pytest.skip("needs a docker that answers, or buildah and podman; neither is here")
    if not found.has(base_image()):
        pytest.skip(f"needs the base image: {found.runner} pull {base_image()}")
    return found


@pytest.fixture(scope="session")
def app_image(engine: Engine) -> str:
    """The image that serves."""
    return engine.build("app")


@pytest.fixture(scope="session")
def migrate_image(engine: Engine) -> str:
    """The image that migrates."""
    return engine.build("migrate")
