"""Whatever builds and runs images here: docker, or buildah and podman."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.deploy.manifests import ROOT

HARDENED = (
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--memory=512m",
    "--network=host",
)
"""How a container runs in production; the host's network, because the test's Postgres listens on the loopback."""


def succeeds(*command: str) -> bool:
    """Whether a command is here and exits with 0."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


def output(*command: str, timeout: float = 900) -> str:
    """What a command prints; all of it fails the test when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=timeout)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Engine:
    """A program that builds, and one that runs."""

    build_command: tuple[str, ...]
    runner: str

    def has(self, image: str) -> bool:
        """Whether an image is on this machine."""
        return succeeds(self.runner, "image", "inspect", image)

    def build(self, target: str) -> str:
        """Build a target of the Dockerfile from what is on this machine; returns the image's name."""
        name = f"localhost/tests-of-deploy:{target}"
        output(*self.build_command, "--target", target, "--tag", name, ".")
        return name

    def run(self, image: str, *command: str, options: Sequence[str] = ()) -> str:
        """Run a command in a hardened container to its end; returns what it prints."""
        return output(self.runner, "run", "--rm", *HARDENED, *options, image, *command, timeout=120)

    @contextlib.contextmanager
    def running(self, image: str, *options: str) -> Iterator[str]:
        """A hardened container with the image's own command; yields its id."""
        container = output(self.runner, "run", "--detach", *HARDENED, *options, image).strip()
        try:
            yield container
        finally:
            output(self.runner, "rm", "--force", container)

    def stop(self, container: str, seconds: int) -> None:
        """SIGTERM, and SIGKILL after so many seconds."""
        output(self.runner, "stop", f"--time={seconds}", container)

    def exit_code(self, container: str) -> int:
        """With what a stopped container ended."""
        return int(output(self.runner, "inspect", "--format={{.State.ExitCode}}", container))

    def log(self, container: str) -> str:
        """What a container has printed."""
        done = subprocess.run([self.runner, "logs", container], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


def find_engine() -> Engine | None:
    """The first that works here: a docker that answers, else buildah with podman."""
    if succeeds("docker", "info"):
        return Engine(("docker", "build", "--pull=false"), "docker")
    if succeeds("buildah", "images") and succeeds("podman", "info"):
        return Engine(("buildah", "bud", "--layers", "--pull-never"), "podman")
    return None
