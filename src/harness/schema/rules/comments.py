"""Comments."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Snapshot
from harness.rules import Breach, rule
from harness.schema.alembic_code import argument, fix
from harness.sql.operations import op


@rule("table-without-comment", "warning", "Every table has a comment", optional=True)
def table_without_comment(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables without a comment.

    Why: a reader who meets the table in a query tool knows only its name
    Fix: COMMENT ON TABLE
    """
    for table in snapshot.roots:
        if not table.comment:
            call = op("create_table_comment", table.name, "...", schema=table.schema)
            yield Breach(table.qualified, "the table has no comment", fix(call, '__table_args__ = {"comment": "..."}'))


@rule("column-without-comment", "warning", "Every column has a comment", optional=True)
def column_without_comment(snapshot: Snapshot) -> Iterator[Breach]:
    """Find columns without a comment.

    Why: units, formats and who may write the column are known only to its author
    Fix: COMMENT ON COLUMN
    """
    for table in snapshot.roots:
        for column in table.columns:
            if not column.comment:
                yield Breach(
                    f"{table.qualified}.{column.name}",
                    "the column has no comment",
                    fix(
                        op("alter_column", table.name, column.name, schema=table.schema, comment="..."),
                        argument(column.name, 'comment="..."'),
                    ),
                )
