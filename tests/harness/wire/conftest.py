"""An observer in front of an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from harness.wire.observer import Observer

if TYPE_CHECKING:
    from harness.databases.databases import Database


@pytest.fixture
def wire(empty_database: Database) -> Iterator[Observer]:
    """The observer; closed with the test."""
    with Observer(empty_database.address) as observer:
        yield observer


@pytest.fixture
def observed(wire: Observer, empty_database: Database) -> str:
    """The address of the empty database through the observer."""
    return wire.dsn(empty_database.dsn)
