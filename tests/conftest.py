"""Every suite's fixtures come from the harness; what only this project needs stands here."""

import os
import signal
from pathlib import Path

import pytest

from sealy.settings import Settings

pytest_plugins = ["harness.plugin", "pytester"]

TEMPLATE = Path(__file__).with_name("template").exists()
collect_ignore = [] if TEMPLATE else ["harness", "tools"]
"""The template's tests: in a project, pytest collects them only by name, such as `pytest tests/harness`."""

for name, setting in Settings.model_fields.items():
    variable = f"{Settings.model_config['env_prefix']}{name}".upper()
    if not setting.is_required():  # so that a run does not depend on what this shell exports
        os.environ.pop(variable, None)
    os.environ.pop(f"{variable}_FILE", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that lets tests write to the project."""
    help_text = "write recorded files, such as tests/schema/statements.json, instead of comparing with them"
    parser.addoption("--update", action="store_true", help=help_text)


@pytest.fixture
def update(pytestconfig: pytest.Config) -> bool:
    """Whether recorded files are to be written."""
    return bool(pytestconfig.getoption("update"))


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Let Ctrl-C reach the programs that tests interrupt: what a shell runs in the background inherits it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
