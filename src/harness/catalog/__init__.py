"""A read-only snapshot of pg_catalog in typed, frozen objects, and the difference of two.

The schema rules, drift, the migrations suite and the seeder read it.
"""

from __future__ import annotations

from harness.catalog.difference import Change, difference
from harness.catalog.objects import Extension, Function, Role, Schema, Sequence, Snapshot, Type
from harness.catalog.reading import prove_read_only, read_only, read_snapshot
from harness.catalog.relations import Column, Constraint, Index, InSchema, Key, Policy, Table, Trigger

__all__ = [
    "Change",
    "Column",
    "Constraint",
    "Extension",
    "Function",
    "InSchema",
    "Index",
    "Key",
    "Policy",
    "Role",
    "Schema",
    "Sequence",
    "Snapshot",
    "Table",
    "Trigger",
    "Type",
    "difference",
    "prove_read_only",
    "read_only",
    "read_snapshot",
]
