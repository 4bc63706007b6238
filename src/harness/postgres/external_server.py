"""A server that someone else runs: its address, and the rights that the harness needs there."""

from __future__ import annotations

import psycopg

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.sql.quoting import identifier

OLDEST = 140000
PORT = 5432


def read_address(
    host: str | None, port: str | None, user: str | None, password: str | None, maintenance: str | None
) -> Address | None:
    """Return the server that pytest's --postgresql-… options name, or None without a host.

    Raises:
        HarnessError: for a port that is not a number from 1 to 65535.
    """
    if not host:
        return None
    if port and not (port.isdecimal() and 0 < int(port) < 2**16):
        raise HarnessError(
            f"--postgresql-port {port} is not a port",
            remedy=f"give a number from 1 to 65535, or leave it out for {PORT}",
        )
    return Address(host, int(port or PORT), user or "postgres", password, maintenance or "postgres")


def check_rights(server: Address, major: int | None = None) -> bool:
    """Check the user's rights there, and return whether it is a superuser.

    Raises:
        HarnessError: when the server cannot be reached, is older than 14 or not of the `major` that --pg asks for, or
            the user lacks CREATEDB or CREATEROLE.
    """
    place = f"--postgresql-host {server.host} (port {server.port}, user {server.user}, database {server.maintenance})"
    try:
        with server.connect(connect_timeout=10) as connection:
            version = connection.info.server_version
            row = connection.execute(
                "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as error:
        raise HarnessError(
            f"{place} cannot be reached: {error}",
            remedy="check --postgresql-port, --postgresql-user and --postgresql-password, or leave out all of them: "
            "the harness then starts a server",
        ) from error
    if version < OLDEST:
        raise HarnessError(f"{place} is PostgreSQL {version // 10000}", remedy="name a server of 14 or newer")
    if major not in (None, version // 10000):
        raise HarnessError(
            f"{place} is PostgreSQL {version // 10000}, but --pg asks for {major}",
            remedy="leave --pg out, or name a server of that major",
        )
    superuser, createdb, createrole = row or (False, False, False)
    lacking = [name for name, has in (("CREATEDB", createdb), ("CREATEROLE", createrole)) if not (has or superuser)]
    if lacking:
        raise HarnessError(
            f"{place}: the user lacks {' and '.join(lacking)}, to make and drop the databases and roles of this run",
            looked_at="pg_roles",
            remedy=f"ALTER ROLE {identifier(server.user)} {' '.join(lacking)}",
        )
    return bool(superuser)
