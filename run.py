"""Run anything in this repository with nothing but Python 3.11 or newer.

python run.py         every check and suite: lint, types, migrations, schema, api, harness
python run.py dev     the API with a Postgres of its own; --port N, --fresh (new data), --rows N
python run.py env     .venv with everything in it, for editors and for plain pytest
python run.py report  what the suites find, as one HTML page: build/report.html; --from FILE, from an earlier run's JSON

Any other arguments go to nox, which is installed into .nox/_bootstrap: `python run.py -l` lists what there is.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "run.py needs Python 3.11 or newer, and this is %d.%d: try python3.11, or a later one." % sys.version_info[:2]
    )
if sys.platform == "win32":
    sys.exit("run.py needs Linux or macOS: on Windows use WSL (https://learn.microsoft.com/windows/wsl/install).")

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BOOTSTRAP = ROOT / ".nox" / "_bootstrap"
PYTHON = BOOTSTRAP / "bin" / "python"
STAMP = BOOTSTRAP / "stamp"
PINS = ROOT / "requirements" / "nox.txt"
COMMANDS = ("dev", "env", "report")

PLACES = ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
"""Variables that would send pip's work somewhere else than into the bootstrap."""

NO_INSTALLER = """run.py: this Python has neither pip nor ensurepip, so nothing can be installed.
  looked at: {python} -m pip (22.3 or newer), {python} -m ensurepip
  remedy: install one of them (Debian, Ubuntu: apt install python3-venv), or use another Python,
  or, where uv or pipx is installed: uvx nox, pipx run nox"""


def fingerprint() -> str:
    """What the bootstrap depends on: its pins, the interpreter and the place."""
    parts = (PINS.read_text(encoding="utf-8"), sys.version, os.path.realpath(sys.executable), str(BOOTSTRAP))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def outer_pip() -> bool:
    """Whether this interpreter's own pip can install into another environment (pip 22.3 and newer)."""
    shown = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", shown.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= (22, 3)


def make_environment() -> list[str]:
    """Make the bootstrap's environment; the pip command that installs into it."""
    shutil.rmtree(BOOTSTRAP, ignore_errors=True)
    if outer_pip():
        venv.create(BOOTSTRAP, symlinks=True)
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    made = subprocess.run(
        [sys.executable, "-m", "venv", str(BOOTSTRAP)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if made.returncode:
        shutil.rmtree(BOOTSTRAP, ignore_errors=True)
        sys.exit(NO_INSTALLER.format(python=sys.executable))
    return [str(PYTHON), "-m", "pip"]


def install() -> None:
    """Install the pinned nox, every file checked against its hash."""
    print(
        "run.py: first run with this Python: installing nox and uv into .nox/_bootstrap (about 30 MB)", file=sys.stderr
    )
    environment = {name: value for name, value in os.environ.items() if name not in PLACES}
    command = [*make_environment(), "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    done = subprocess.run([*command, "--require-hashes", "--requirement", str(PINS)], env=environment, check=False)
    if done.returncode:
        sys.exit(
            "run.py: pip could not install %s; its own words are above. Is the package index reachable?" % PINS.name
        )
    STAMP.write_text(fingerprint(), encoding="utf-8")


def bootstrap() -> None:
    """Make nox ready; at once when it is. A second run that starts meanwhile waits for the first."""
    BOOTSTRAP.parent.mkdir(exist_ok=True)
    with (BOOTSTRAP.parent / "_bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not STAMP.exists() or STAMP.read_text(encoding="utf-8") != fingerprint():
            install()


def nox_arguments(arguments: list[str]) -> list[str]:
    """Turn what was typed into nox's arguments; help, and a word that is no command, end with what there is."""
    if not arguments:
        return ["--parallel", "auto"]
    first = arguments[0]
    if first in COMMANDS:
        options = arguments[2:] if arguments[1:2] == ["--"] else arguments[1:]
        return ["--session", first, "--", *options]
    if first in ("-h", "--help"):
        print(__doc__)
        sys.exit(0)
    if first and not first.startswith("-"):
        sys.exit("run.py: there is no command %r.\n%s" % (first, __doc__))
    return arguments


def main() -> None:
    """Make nox ready and become it, so that signals reach it and its exit code is the answer."""
    try:
        bootstrap()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit("run.py: .nox/_bootstrap cannot be made: %s" % error)
    command = [str(PYTHON), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), *nox_arguments(sys.argv[1:])]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
