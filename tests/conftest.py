"""Every suite's fixtures come from the harness; what only this project needs stands here."""

import signal

import pytest

pytest_plugins = ["harness.plugin", "pytester"]


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Let Ctrl-C reach the programs that tests interrupt: what a shell runs in the background inherits it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
