"""The errors for a table that cannot be filled: which constraint, what was tried, how to give rows by hand."""

from __future__ import annotations

import psycopg

from harness.catalog import Table
from harness.errors import HarnessError
from harness.seed.constraints.solver import UnsatisfiableError
from harness.wording import plural


def by_hand(table: Table) -> str:
    """Return how to give rows of a table, with its required columns."""
    needed = [
        column.name
        for column in table.columns
        if column.not_null and not column.generated and not column.identity and column.default is None
    ]
    row = ", ".join(f'"{name}": …' for name in needed) or '"column": …'
    return (
        f'give rows by hand. In the revision file: seed = {{"{table.qualified}": [{{{row}}}]}}\n'
        f'elsewhere: fill(connection, rows, given={{"{table.qualified}": [{{{row}}}]}})'
    )


def unsatisfiable(table: Table, error: UnsatisfiableError) -> HarnessError:
    """Return the error that no candidate satisfies the conditions."""
    names = ", ".join(dict.fromkeys(condition.name for condition in error.conditions))
    texts = "; ".join(dict.fromkeys(condition.expression for condition in error.conditions))
    columns = sorted({number for condition in error.conditions for number in condition.columns})
    shown = ", ".join(str(row) for row in error.tried)
    return HarnessError(
        f"{table.qualified} cannot be seeded: nothing that was tried satisfies {names}: {texts}",
        looked_at=f"{plural(error.count, 'value')} of {', '.join(table.names(tuple(columns)))}, such as {shown}",
        remedy=by_hand(table),
    )


def refused(table: Table, error: psycopg.Error) -> HarnessError:
    """Return the error that the server refuses the rows."""
    said = error.diag.message_primary or str(error)
    constraint = f" by {error.diag.constraint_name}" if error.diag.constraint_name else ""
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    context = f"\n  where: {error.diag.context.splitlines()[0]}" if error.diag.context else ""
    reason = f"{said}{detail} [{error.sqlstate}]{context}"
    return HarnessError(
        f"{table.qualified} cannot be seeded: its rows are refused{constraint}: {reason}",
        looked_at=_looked_at(table, error),
        remedy=by_hand(table),
    )


def _looked_at(table: Table, error: psycopg.Error) -> str:
    """Return what on the table may have refused."""
    if "row-level security" in str(error) or "row security" in str(error):
        policies = ", ".join(policy.name for policy in table.policies) or "none"
        return f"row security is forced on the owner (policies: {policies}); connect as a role with BYPASSRLS"
    if error.sqlstate == "P0001" or (error.diag.context or "").startswith("PL/pgSQL"):
        triggers = [f"{trigger.name} ({trigger.function})" for trigger in table.triggers]
        return (
            f"triggers {', '.join(triggers)}"
            if triggers
            else "no trigger on the table; functions that its constraints call"
        )
    return "constraints, indexes and triggers of the table, as the server judged them"


def swallowed(table: Table, rows: int) -> HarnessError:
    """Return the error that the server took the rows and kept none."""
    triggers = ", ".join(f"{trigger.name} ({trigger.function})" for trigger in table.triggers)
    return HarnessError(
        f"{table.qualified} cannot be seeded: {plural(rows, 'row')} sent and none kept",
        looked_at=f"triggers: {triggers or 'none'}; one that returns NULL drops its row",
        remedy=by_hand(table),
    )
