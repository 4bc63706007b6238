"""docs/first-day.md, followed from top to bottom: its files are written, its commands run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import pytest

from tests.template.clones import ENVIRONMENT, ROOT, copy

BLOCK = re.compile(r"^```(console|python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"`((?:src|tests)/[\w./]+\.py)`")
TEMPLATE = "https://example.com/the/template.git"
SERVES = "python3 run.py dev"
ADDRESS = re.compile(r"API +(http://127\.0\.0\.1:\d+)/docs")
COMPLAINTS = ("fix: ", "has no example")
VARIES = re.compile(r"\d{4}_\d{2}_\d{2}_|\s+|\d+\.\d+")
"""What differs between days and machines: a date, the width of a table, milliseconds."""


def page() -> list[tuple[str, str, str]]:
    """Return the blocks of the page: language, the last file named before it, and the text."""
    text = (ROOT / "docs" / "first-day.md").read_text(encoding="utf-8")
    return [(found[1], (PLACE.findall(text[: found.start()]) or [""])[-1], found[2]) for found in BLOCK.finditer(text)]


def change(path: Path, difference: str) -> None:
    """Apply a diff block to a file, which must contain its lines without `+` exactly once."""
    lines = [(line[:1], line[1:]) for line in difference.splitlines()]
    before, after = ("".join(f"{text}\n" for sign, text in lines if sign != other) for other in "+-")
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path} should hold this once:\n{before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block, with the lines that it should print."""
    for typed in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *printed = typed.splitlines()
        yield command, printed


class Newcomer:
    """A shell in which `python3` is this Python, without any installed package."""

    def __init__(self, directory: Path) -> None:
        programs = directory / "programs"
        programs.mkdir()
        (programs / "python3").symlink_to(Path(sys.executable).resolve())
        self.template = copy(directory / "template")
        self.directory = directory
        kept = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(("APP_", "PYTEST", "PYTHON"))}
        self.environment: Mapping[str, str] = kept | {"PATH": f"{programs}:{os.environ['PATH']}"}

    def types(self, command: str, printed: list[str]) -> None:
        """Run a command in the directory of the last one; it must print what the page shows.

        It must fail if the page shows a finding or an error, and otherwise succeed.
        """
        begun = time.monotonic()
        line = f"{command.replace(TEMPLATE, str(self.template))} && pwd >&3"
        read, write = os.pipe()
        done = subprocess.run(
            ["bash", "-c", f"exec 3>&{write}; {line}"],
            cwd=self.directory,
            env=self.environment,
            pass_fds=[write],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        os.close(write)
        with os.fdopen(read) as place:
            self.directory = Path(place.read().strip() or self.directory)
        print(f"{time.monotonic() - begun:6.1f} s  {command}")
        complains = any(word in text for text in printed for word in COMPLAINTS)
        assert (done.returncode != 0) == complains, done.stdout[-6000:]
        shown = VARIES.sub("", done.stdout)
        assert not [text for text in printed if VARIES.sub("", text) not in shown], done.stdout[-6000:]

    def serves(self, command: str) -> None:
        """Start the server, send a request, and stop the server with Ctrl-C."""
        begun = time.monotonic()
        server = subprocess.Popen(
            command.split(),
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        assert server.stdout
        address = next(found[1] for line in server.stdout if (found := ADDRESS.search(line)))
        with urllib.request.urlopen(f"{address}/ready") as answer:
            assert answer.status == 200
        print(f"{time.monotonic() - begun:6.1f} s  {command}")
        os.killpg(server.pid, signal.SIGINT)
        server.communicate(timeout=60)


@pytest.mark.nightly
def test_the_page_can_be_followed(tmp_path: Path) -> None:
    """Each command does what the page says, and the last one passes; `-s` prints the times."""
    newcomer = Newcomer(tmp_path)
    for language, place, text in page():
        path = newcomer.directory / place
        if language == "python":
            path.write_text(text, encoding="utf-8")
        elif language == "diff":
            change(path, text)
        else:
            for command, printed in commands(text):
                if command == SERVES:
                    newcomer.serves(command)
                else:
                    newcomer.types(command, printed)


def test_the_page_names_a_file_for_every_block() -> None:
    """The text before each file or diff says where it belongs."""
    blocks = page()
    assert {language for language, _, _ in blocks} == {"console", "python", "diff"}
    assert not [text for language, place, text in blocks if language != "console" and not place]
    typed = list(chain.from_iterable(commands(text) for language, _, text in blocks if language == "console"))
    assert (SERVES, []) in typed
