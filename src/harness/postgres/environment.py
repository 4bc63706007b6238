"""The environment variables of libpq and of the server's programs."""

from __future__ import annotations

import os
import re

VARIABLE = re.compile(r"PG([A-Z]+|CONNECT_TIMEOUT)")
"""Their names (manual, 32.15 and 19.3): no other one has a second underscore, as those of a project often do."""


def drop_variables() -> dict[str, str]:
    """Drop them from this process's environment, and return them: they lead away from a server that is started here."""
    return {name: os.environ.pop(name) for name in filter(VARIABLE.fullmatch, list(os.environ))}
