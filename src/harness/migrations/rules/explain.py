"""What an error of a revision means, where it comes from, and what to do about it."""

from __future__ import annotations

import difflib
import re

from alembic import op

from harness.migrations.tracing.evidence import Trace
from harness.postgres.extensions import extension_remedies

MISSPELT = re.compile(r"module 'alembic\.op' has no attribute '(\w+)'")

REMEDIES = {
    "42601": "correct the SQL there",
    "42P01": "correct the name there, or make the table in a revision below",
    "42703": "correct the name there, or make the column in a revision below",
    "42704": "correct the name there, or make the object in a revision below",
    "42883": "correct the name or the types there, or make the function in a revision below",
    "3F000": "correct the name there, or make the schema in a revision below",
    "42P07": "leave it out, or take another name: a revision below has made it, so it is there already",
    "42701": "leave it out, or take another name: the column is there already",
    "42710": "leave it out, or take another name: the object is there already",
    "2BP01": "drop first what depends on it, by name",
    "42501": "grant the right to the role that migrates, or leave the statement to an administrator",
}
"""By SQLSTATE (manual, appendix A): what was written wrongly, is not there, is there already, or is not allowed."""


def explained(trace: Trace) -> str:
    """Return an error with its place, and with its meaning where that is not plain."""
    error = trace.error or ""
    where = f"\n  at {trace.where}" if trace.where else ""
    if "no schema has been selected" in error or ("does not exist" in error and "version_num" in error):
        return f"{error}{where}\n  the revision has dropped the schema that Alembic keeps its version table in"
    return f"{error}{where}"


def remedy(trace: Trace) -> str:
    """Return what to do about an error of this kind; empty if only its place is unknown too."""
    if lacking := extension_remedies(trace.error or ""):
        return "\n".join(lacking)
    place = trace.where.partition(": ")[0]
    known = REMEDIES.get(trace.sqlstate or "", "")
    if misspelt := MISSPELT.search(trace.error or ""):
        close = difflib.get_close_matches(misspelt[1], dir(op), 1)
        known = f"write op.{close[0]}(...) there" if close else "Alembic has no such operation: see its manual, ops"
    if known and place:
        return f"{place}: {known}"
    return known or (place and f"correct {place}")
