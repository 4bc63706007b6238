"""`python -m sealy.db.refresh`: refresh the counts of tags, as the role that migrates; for a timer."""

import sys

import psycopg

from sealy.settings import DatabaseSettings

# Readers see the previous rows until it commits. Only the owner may refresh (PostgreSQL 17 and later: also a role with
# MAINTAIN), so the app's role cannot be made to do it.
REFRESH = "REFRESH MATERIALIZED VIEW CONCURRENTLY tags_in_use"


def main() -> None:
    """Refresh, and print one line; exit with 1 and the reason if that fails."""
    try:
        with psycopg.connect(**DatabaseSettings.read().connection_parameters, autocommit=True) as connection:
            connection.execute(REFRESH)
    except psycopg.Error as error:
        sys.exit(f"refresh: {' '.join(str(error).split())}")
    print("refresh: tags_in_use is up to date")


if __name__ == "__main__":
    main()
