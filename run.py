"""Run any command of this repository with only Python 3.11 or newer.

python3 run.py         run all checks and tests: style, types, and every suite
python3 run.py dev     run the API and its own PostgreSQL server; --port N, --rows N, --fresh (discard the data)
python3 run.py env     create .venv with all dependencies, for editors and for plain pytest
python3 run.py report  run the suites and write build/report.html; --from FILE shows the JSON of an earlier run
python3 run.py api     run one suite or check; what follows goes to it, such as -k tags
python3 run.py -l      list all of these

Other options go to nox, which is installed into .nox/_bootstrap.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit("run.py needs Python 3.11 or newer, and this is %d.%d: try python3.11 or later." % sys.version_info[:2])
if sys.platform == "win32":
    sys.exit("run.py needs Linux or macOS: on Windows use WSL (https://learn.microsoft.com/windows/wsl/install).")

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BOOTSTRAP = ROOT / ".nox" / "_bootstrap"
PYTHON = BOOTSTRAP / "bin" / "python"
STAMP = BOOTSTRAP / "stamp"
PINS = ROOT / "requirements" / "nox.txt"

PLACES = ("PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PIP_TARGET", "PIP_USER", "PYTHONHOME", "PYTHONPATH")
"""Environment variables that would make pip install elsewhere."""

NO_INSTALLER = """run.py: cannot install nox, because this Python has neither pip nor ensurepip.
  looked at: {python} -m pip (22.3 or newer), {python} -m ensurepip
  remedy: install one of them (Debian, Ubuntu: apt install python3-venv), use another Python,
          or run `uvx nox` or `pipx run nox` if uv or pipx is installed"""


def fingerprint() -> str:
    """Return a hash of what the bootstrap depends on: the pins without comments, the interpreter and the directory."""
    pins = re.sub(r"(^|\s+)#.*", "", PINS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    parts = (pins, sys.version, os.path.realpath(sys.executable), str(BOOTSTRAP))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def outer_pip() -> bool:
    """Return whether this interpreter's pip can install into another environment (22.3 or newer)."""
    shown = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"pip (\d+)\.(\d+)", shown.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= (22, 3)


def make_environment() -> list[str]:
    """Create the bootstrap's environment, and return the pip command that installs into it."""
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
    """Install the pinned nox, with hashes checked."""
    print(
        "run.py: first run with this Python: installing nox and uv into .nox/_bootstrap (about 30 MB)", file=sys.stderr
    )
    environment = {name: value for name, value in os.environ.items() if name not in PLACES}
    command = [*make_environment(), "--quiet", "--disable-pip-version-check", "--no-input", "install"]
    done = subprocess.run([*command, "--require-hashes", "--requirement", str(PINS)], env=environment, check=False)
    if done.returncode:
        sys.exit("run.py: pip could not install %s; see its output above. Is the package index reachable?" % PINS.name)
    STAMP.write_text(fingerprint(), encoding="utf-8")


def is_current() -> bool:
    """Return whether nox is installed as it should be."""
    return STAMP.exists() and STAMP.read_text(encoding="utf-8") == fingerprint()


def bootstrap() -> None:
    """Install nox if it is missing or outdated, else write nothing. A second run waits for the first one."""
    if is_current():
        return
    BOOTSTRAP.parent.mkdir(exist_ok=True)
    with (BOOTSTRAP.parent / "_bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            install()


def nox_arguments(arguments: list[str]) -> list[str]:
    """Return nox's arguments for what was typed: a session and its arguments, or options. --help ends the program."""
    if not arguments:
        return ["--parallel", "auto"]
    first = arguments[0]
    if first in ("-h", "--help"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` may leave first
        print(__doc__)
        sys.exit(0)
    if first.startswith("-"):
        return arguments
    options = arguments[2:] if arguments[1:2] == ["--"] else arguments[1:]
    return ["--session", first, "--", *options]


def main() -> None:
    """Install nox if needed, then replace this process by it, so that signals and the exit code are nox's."""
    try:
        bootstrap()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit("run.py: cannot create .nox/_bootstrap: %s" % error)
    command = [str(PYTHON), "-m", "nox", "--noxfile", str(ROOT / "noxfile.py"), *nox_arguments(sys.argv[1:])]
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
