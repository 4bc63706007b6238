"""Apps with the same routes, one for each asynchronous driver and pool, and the faults that are planted in them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

DRIVERS = ("sqlalchemy+psycopg", "sqlalchemy+asyncpg", "sqlmodel", "psycopg_pool", "asyncpg_pool")

SCHEMA = """
    CREATE EXTENSION citext;
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE owner (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name citext NOT NULL, mood mood NOT NULL DEFAULT 'good'
    );
    CREATE TABLE item (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner_id bigint NOT NULL REFERENCES owner, label text
    );
    CREATE INDEX ON item (owner_id);
"""
"""Two types that a driver must ask for, citext and an enum, and a list of two tables."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A change of a driver's app, `old` to `new`, that breaks a rule in a request (`GET /items`)."""

    rule: str
    request: str
    driver: str
    old: str
    new: str

    def __str__(self) -> str:
        """Return the id of its test."""
        return f"{self.rule}-{self.request.partition('?')[0]}-{self.driver}"


def faults() -> list[Fault]:
    """Return every fault once for each of its drivers."""
    tables = tomllib.loads((FOLDER / "faults.toml").read_text(encoding="utf-8"))["faults"]
    return [Fault(driver=driver, **table) for table in tables for driver in table.pop("drivers")]


def source(driver: str, fault: Fault | None = None) -> str:
    """Return the code of an app, with a fault if one is given."""
    code = (FOLDER / f"{driver}.txt").read_text(encoding="utf-8")
    if fault:
        assert code.count(fault.old) == 1, f"{driver}.txt should hold this once:\n{fault.old}"
        code = code.replace(fault.old, fault.new)
    return code


def load(driver: str, dsn: str, fault: Fault | None = None) -> Any:
    """Return the app of a driver on the database at `dsn`."""
    names: dict[str, Any] = {"__name__": f"{__name__}.{driver}"}
    exec(compile(source(driver, fault), f"{driver}.py", "exec"), names)
    return names["create_app"](dsn)
