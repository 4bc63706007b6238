"""Fills any schema with believable rows, deterministic and distinct: for tracing revisions and for development.

Values are proposed by type, name and the constants in a condition, and the server evaluates which of them satisfy it.
See docs/seeding.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from harness.catalog import Snapshot, read_snapshot
from harness.seed.fill import Filler
from harness.seed.given_rows import Given, read_given

Progress = Callable[[str, int, int], None]
"""Called with a table, the number of its rows so far, and the number that it will get."""


def fill(
    connection: psycopg.Connection[Any],
    rows: int,
    *,
    tables: Collection[str] | None = None,
    adversarial: bool = False,
    progress: Progress | None = None,
    given: Given | None = None,
    snapshot: Snapshot | None = None,
) -> dict[str, int]:
    """Write `rows` rows to every empty table, in one transaction; return the number of rows by `schema.table`.

    Tables that hold rows are not changed and serve as parents. A table gets fewer rows if its unique columns have no
    more distinct values. `tables` names those to fill, all by default; `given` holds rows for tables that then get only
    these. With `adversarial` rows repeat, and hold NULL and extremes wherever constraints allow it. The same schema and
    number give the same data. `connection` must have no open transaction; its role should own the tables. `snapshot` is
    the catalogue, if it was read before.

    Raises:
        HarnessError: for a table that cannot be filled; names the constraint and how to give rows by hand. Also for a
            `given` of another shape. Nothing is written then.
    """
    rows_given = read_given(given, "given")
    factory = connection.row_factory
    connection.row_factory = tuple_row
    try:
        filling = Filler(connection, rows, rows_given, progress or (lambda *_: None), adversarial)
        return filling.run(snapshot or read_snapshot(connection), tables)
    finally:
        connection.row_factory = factory
