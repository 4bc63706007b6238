"""The project's roles on a test server: its SQL file, run as in production, with a prefix."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from harness.errors import HarnessError
from harness.postgres.address import Address
from harness.postgres.extensions import extension_remedies

LOGINS = ("migrator", "app", "readonly")
"""The roles that log in, each named `<prefix>_<role>`; `<prefix>_owner` owns every object and does not."""


@dataclass(slots=True)
class Roles:
    """The roles of one run: `apply` gives them their rights in a database, `drop` removes them from the server.

    On a `guarded` server the logins get random passwords; the run's own cluster trusts every client of its socket.
    """

    file: Path
    prefix: str
    guarded: bool = False
    passwords: dict[str, str] = field(default_factory=dict, repr=False)

    def name(self, role: str) -> str:
        """Return the name on the server of a role such as `app`."""
        return f"{self.prefix}_{role}"

    def apply(self, server: Address, dbname: str) -> None:
        """Run the SQL file in a database.

        Raises:
            HarnessError: when the file cannot be read or the server refuses it.
        """
        try:
            script = self.file.read_text(encoding="utf-8")
            with server.connect(dbname, options=f"-c roles.prefix={self.prefix}") as connection:
                connection.execute(script.encode())
        except (OSError, psycopg.Error) as error:
            raise HarnessError(
                f"the roles of {self.file} cannot be made in {dbname}: {error}",
                remedy=extension_remedies(str(error)) or "correct this file",
            ) from error
        if self.guarded and not self.passwords:
            self._set_passwords(server)

    def _set_passwords(self, server: Address) -> None:
        with server.connect(autocommit=True) as connection:
            for role in LOGINS:
                self.passwords[role] = secrets.token_hex(16)
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(self.name(role)), sql.Literal(self.passwords[role])))

    def seen_by(self, server: Address, role: str) -> Address:
        """Return the server as `role` connects to it; `superuser` is the administrator.

        Raises:
            HarnessError: for another role.
        """
        if role == "superuser":
            return server
        if role not in LOGINS:
            raise HarnessError(f"no login is called {role!r}", remedy=f"take one of superuser, {', '.join(LOGINS)}")
        return server.seen_by(self.name(role), self.passwords.get(role))

    def drop(self, server: Address) -> None:
        """Drop the roles of this run, after their databases."""
        with server.connect(autocommit=True) as connection:
            for role in (*LOGINS, "owner"):
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(self.name(role))))
