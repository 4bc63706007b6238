"""The address of a server and the role to connect as, for the run's own cluster and for an external server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import URL, make_url

from harness.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Address:
    """A server and a role. `host` may be the directory of a socket; in `maintenance` databases are created."""

    host: str
    port: int
    user: str
    password: str | None = field(default=None, repr=False)
    maintenance: str = "postgres"

    def seen_by(self, user: str, password: str | None = None) -> Address:
        """Return the same server as another role."""
        return Address(self.host, self.port, user, password, self.maintenance)

    def dsn(self, dbname: str) -> str:
        """Return a libpq connection URI (PostgreSQL manual, 32.1.1.2)."""
        word = f":{quote(self.password, safe='')}" if self.password else ""
        user = quote(self.user, safe="") + word
        if self.host.startswith("/"):
            return f"postgresql://{user}@/{quote(dbname, safe='')}?host={quote(self.host, safe='/')}&port={self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host  # an IPv6 address
        return f"postgresql://{user}@{host}:{self.port}/{quote(dbname, safe='')}"

    def url(self, dbname: str) -> URL:
        """Return the URL for SQLAlchemy's psycopg dialect."""
        return make_url(self.dsn(dbname)).set(drivername="postgresql+psycopg")

    def connect(self, dbname: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """Open a connection to `dbname`, or to the maintenance database; `options` are psycopg.connect's own."""
        return psycopg.connect(self.dsn(dbname or self.maintenance), **options)


def invalid_dsn() -> HarnessError:
    """Return the error for a DSN that libpq cannot parse; it does not show the DSN, which may hold a password."""
    return HarnessError(
        "the DSN is neither a URI nor key=value pairs",
        remedy="write postgresql://user@host/database, or host=… dbname=…",
    )


def unreadable(error: psycopg.Error) -> HarnessError:
    """Return the error for a database that cannot be read, on one line."""
    text = " ".join(str(error).split())
    return HarnessError(f"the database cannot be read: {text}", remedy="check the DSN, and the rights of its role")
