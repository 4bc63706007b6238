"""The schema rules by subject; importing this package registers them all."""

from __future__ import annotations

from harness.schema.rules import (
    columns,
    comments,
    constraints,
    conventions,
    foreign_keys,
    index_shape,
    indexes,
    missing_keys,
    names,
    reference_style,
    rights,
    roles,
    row_security,
    sequences,
    tables,
    types,
)

__all__ = [
    "columns",
    "comments",
    "constraints",
    "conventions",
    "foreign_keys",
    "index_shape",
    "indexes",
    "missing_keys",
    "names",
    "reference_style",
    "rights",
    "roles",
    "row_security",
    "sequences",
    "tables",
    "types",
]
