"""All changes."""

from __future__ import annotations

from tools.proof import app, drift, harmless, migrations, queries, schema
from tools.proof.change import Change

CHANGES: tuple[Change, ...] = (
    *schema.FAULTS,
    *drift.FAULTS,
    *migrations.FAULTS,
    *queries.FAULTS,
    *app.FAULTS,
    *harmless.HARMLESS,
)
