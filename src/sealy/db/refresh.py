"""`python -m sealy.db.refresh`: count ahead anew; for a timer, with the address and role of the migrations."""

from __future__ import annotations

import sys
from time import perf_counter

import psycopg

from sealy.settings import SettingsError, read_settings

REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY tags_in_use"
"""Readers go on with the former rows; two refreshes follow each other. Only the owner may (from PostgreSQL 17 on also
a role with MAINTAIN), so the app's role cannot be made to do it."""


def main() -> int:
    """Refresh; 0 when it is done, 1 with one line when it is not."""
    try:
        parameters = read_settings().connection_parameters
        begun = perf_counter()
        with psycopg.connect(**parameters, autocommit=True) as connection:
            connection.execute(REFRESH)
    except (SettingsError, psycopg.Error) as error:
        sys.stderr.write(f"refresh: {' '.join(str(error).split())}\n")
        return 1
    sys.stdout.write(f"refresh: tags_in_use in {perf_counter() - begun:.2f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
