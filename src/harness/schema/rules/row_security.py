"""Row-level security."""

from __future__ import annotations

from collections.abc import Iterator

from harness.catalog import Snapshot, Table
from harness.rules import Breach, rule
from harness.schema.alembic_code import fix
from harness.sql.operations import execute
from harness.sql.quoting import identifier, qualified

COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
TRUE = ("true", "on", "yes", "1")


@rule("rls-without-policy", "error", "Row-level security has a policy")
def rls_without_policy(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with row-level security and without a policy.

    Why: without a policy only the owner sees rows, and the application gets empty results, not errors
    Fix: add a policy, or disable row-level security
    """
    for table in snapshot.roots:
        if table.row_security and not table.policies:
            statement = f"CREATE POLICY ... ON {qualified(table)} USING (...)"
            yield Breach(table.qualified, "row-level security is on, and there is no policy", fix(execute(statement)))


@rule("rls-policy-inactive", "error", "A policy is in effect")
def rls_policy_inactive(snapshot: Snapshot) -> Iterator[Breach]:
    """Find policies on tables whose row-level security is disabled.

    Why: row-level security is disabled, so the policy does nothing and every row is visible
    Fix: ALTER TABLE ... ENABLE ROW LEVEL SECURITY
    """
    for table in snapshot.roots:
        if table.policies and not table.row_security:
            names = ", ".join(policy.name for policy in table.policies)
            statement = f"ALTER TABLE {qualified(table)} ENABLE ROW LEVEL SECURITY"
            yield Breach(table.qualified, f"row-level security is off; its policies: {names}", fix(execute(statement)))


@rule("rls-policy-always-true", "warning", "A policy for writing has a test")
def rls_policy_always_true(snapshot: Snapshot) -> Iterator[Breach]:
    """Find permissive policies with the test `true`, unless for SELECT only.

    Why: permissive policies are combined with OR, so one that is always true disables all others
    Fix: state which rows, or make it a policy FOR SELECT
    """
    for table in snapshot.roots:
        for policy in table.policies:
            tests = {"USING": policy.using, "WITH CHECK": policy.check}
            true = [name for name, test in tests.items() if test == "true"]
            if policy.permissive and policy.command != "r" and true:
                name = identifier(policy.name)
                yield Breach(
                    f"{table.qualified}.{policy.name}",
                    f"FOR {COMMANDS[policy.command]} TO {', '.join(policy.roles)} {true[0]} (true)",
                    fix(execute(f"ALTER POLICY {name} ON {qualified(table)} {true[0]} (...)")),
                )


@rule("view-bypasses-rls", "error", "A view applies the policies of its tables")
def view_bypasses_rls(snapshot: Snapshot) -> Iterator[Breach]:
    """Find views over tables with row-level security, also through other views, without security_invoker.

    Why: a view reads with the rights of its owner, so the policies of its tables do not apply to the reader
    Fix: WITH (security_invoker = true) (15), or revoke the view from those roles
    """
    for view in snapshot.relations:
        if view.kind == "v" and not _invoker(view):
            protected = sorted(_protected(snapshot, view))
            if protected:
                statement = f"ALTER VIEW {qualified(view)} SET (security_invoker = true)"
                yield Breach(
                    view.qualified,
                    f"reads {', '.join(protected)} as {view.owner}, past their policies",
                    fix(execute(statement)),
                )


def _invoker(view: Table) -> bool:
    """Return whether a view reads with its reader's rights."""
    return any(f"security_invoker={value}" in view.options for value in TRUE)


def _protected(snapshot: Snapshot, view: Table) -> set[str]:
    """Tables with row-level security that the view's owner reads, itself or through views that read as their reader."""
    found: set[str] = set()
    pending, seen = list(view.reads), set(view.reads)
    while pending:
        relation = snapshot.by_oid.get(pending.pop())
        if relation and relation.kind in "rp" and relation.row_security:
            found.add(relation.qualified)
        elif relation and relation.kind == "v" and _invoker(relation):
            fresh = set(relation.reads) - seen
            seen |= fresh
            pending += fresh
    return found


@rule("rls-not-forced", "warning", "Row-level security also applies to the owner", optional=True)
def rls_not_forced(snapshot: Snapshot) -> Iterator[Breach]:
    """Find tables with row-level security that is not forced.

    Why: the owner of a table bypasses its policies; if the application owns its tables, they protect nothing
    Fix: ALTER TABLE ... FORCE ROW LEVEL SECURITY
    """
    for table in snapshot.roots:
        if table.row_security and not table.force_row_security:
            statement = f"ALTER TABLE {qualified(table)} FORCE ROW LEVEL SECURITY"
            yield Breach(table.qualified, f"{table.owner}, the owner, sees every row", fix(execute(statement)))
