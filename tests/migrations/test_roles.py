"""The roles of production, made from the same file, may do what they should and no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from psycopg import sql

from harness.catalog import Snapshot
from harness.databases.databases import Database
from harness.postgres.roles import LOGINS, Roles

DENIED = "42501"
"""SQLSTATE insufficient_privilege."""

READ_ONLY = "25006"
"""SQLSTATE read_only_sql_transaction."""

TIMEOUTS = {
    ("app", "statement_timeout"): "5s",
    ("app", "lock_timeout"): "3s",
    ("app", "idle_in_transaction_session_timeout"): "15s",
    ("migrator", "lock_timeout"): "5s",
    ("migrator", "statement_timeout"): "15min",
    ("readonly", "statement_timeout"): "1min",
    ("readonly", "idle_in_transaction_session_timeout"): "1min",
}

DDL = [
    "CREATE TABLE public.mine ()",
    "CREATE TABLE mine AS SELECT 1",
    "CREATE TEMPORARY TABLE mine ()",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION hstore",
    "CREATE VIEW public.mine AS SELECT 1",
    "CREATE SEQUENCE public.mine",
    "CREATE TYPE public.mine AS ENUM ()",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "CREATE INDEX ON {table} ({column})",
    "CREATE TRIGGER mine BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "ALTER TABLE {table} ADD mine int",
    "ALTER TABLE {table} DROP COLUMN {column}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} OWNER TO CURRENT_USER",
    "DROP TABLE {table}",
    "DROP SCHEMA public CASCADE",
    "TRUNCATE {table}",
    "COMMENT ON TABLE {table} IS 'mine'",
    "SET ROLE {owner}",
    "SET session_replication_role = replica",
]
"""What neither the app nor a reader may do; {table} is one of the project's."""

WRITES = [
    "INSERT INTO {table} DEFAULT VALUES",
    "DELETE FROM {table}",
    "UPDATE {table} SET {column} = DEFAULT",
    "SELECT FROM {table} FOR UPDATE",
    "DO $$ BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE; END $$",
]
"""What a reader may not do besides."""


@pytest.fixture
def names(catalog: Snapshot, database: Database) -> dict[str, sql.Composable]:
    """A table of the project with one of its columns, and the owner, for the statements above."""
    table = next(table for table in catalog.tables if table.name != "alembic_version")
    return {
        "table": sql.Identifier(table.schema, table.name),
        "column": sql.Identifier(table.columns[0].name),
        "owner": sql.Identifier(database.roles.name("owner")),
    }


def refusal(database: Database, role: str, statement: str, names: dict[str, sql.Composable], settings: str = "") -> str:
    """The SQLSTATE with which a role is refused; empty when it is not."""
    with database.as_role(role).connect(autocommit=True, options=settings) as connection:
        try:
            connection.execute(sql.SQL(statement).format(**names))
        except psycopg.Error as error:
            return error.sqlstate or ""
    return ""


def test_the_app_may_not_change_the_schema(database: Database, names: dict[str, sql.Composable]) -> None:
    """An injected statement, or an old habit, cannot touch what the migrations own."""
    codes = {statement: refusal(database, "app", statement, names) for statement in DDL}
    assert codes == dict.fromkeys(DDL, DENIED)


def test_a_reader_may_change_nothing(database: Database, names: dict[str, sql.Composable]) -> None:
    """Refused for want of the right, also to someone who switches the read-only transaction off."""
    statements = [*DDL, *WRITES]
    settings = "-c default_transaction_read_only=off"
    codes = {statement: refusal(database, "readonly", statement, names, settings) for statement in statements}
    assert codes == dict.fromkeys(statements, DENIED)


def test_a_reader_is_in_a_read_only_transaction(database: Database, names: dict[str, sql.Composable]) -> None:
    """The second bar: a right that is given by mistake does not open the door."""
    with database.connect() as connection:
        grant = sql.SQL("GRANT ALL ON {} TO {}").format(names["table"], sql.Identifier(database.roles.name("readonly")))
        connection.execute(grant)
    codes = {statement: refusal(database, "readonly", statement, names) for statement in WRITES[:3]}
    assert codes == dict.fromkeys(WRITES[:3], READ_ONLY)


VERSION = {
    "SELECT version_num FROM alembic_version": "",
    "UPDATE alembic_version SET version_num = '0000'": DENIED,
    "INSERT INTO alembic_version VALUES ('0000')": DENIED,
    "DELETE FROM alembic_version": DENIED,
    "TRUNCATE alembic_version": DENIED,
}


def test_the_app_cannot_change_the_recorded_revision(database: Database, names: dict[str, sql.Composable]) -> None:
    """It reads the revision for /ready; only migrations write it, also after the roles have been made again."""
    for _ in range(2):
        assert {each: refusal(database, "app", each, names) for each in VERSION} == VERSION
        database.roles.apply(database.server, database.name)


@pytest.mark.parametrize("role", ["app", "readonly"])
def test_no_role_can_grant_its_rights(role: str, database: Database, names: dict[str, sql.Composable]) -> None:
    """Postgres refuses a GRANT or only warns that nothing was granted: either way PUBLIC has got nothing."""
    grant = "GRANT SELECT, INSERT ON {table} TO PUBLIC"
    refusal(database, role, grant, names, "-c default_transaction_read_only=off")
    with database.connect() as connection:
        query = "SELECT has_table_privilege('public', %s, 'SELECT, INSERT')"
        assert connection.execute(query, [names["table"].as_string(connection)]).fetchone() == (False,)


def test_what_a_migration_creates_the_app_can_use_without_a_grant(database: Database) -> None:
    """Rows in and out, an identity and a sequence, in public and in another schema; a reader reads them."""
    with database.connect() as connection:
        connection.execute("CREATE SCHEMA extra")
        for schema in ("public", "extra"):
            connection.execute(
                f"CREATE TABLE {schema}.later (id int GENERATED ALWAYS AS IDENTITY, n serial, name text)"
            )
    for schema in ("public", "extra"):
        with database.as_role("app").connect() as connection:
            connection.execute(f"INSERT INTO {schema}.later (name) VALUES ('a'), ('b')")
            connection.execute(f"UPDATE {schema}.later SET name = 'c' WHERE id = 1")
            connection.execute(f"DELETE FROM {schema}.later WHERE id = 2")
        with database.as_role("readonly").connect() as connection:
            assert connection.execute(f"SELECT id, n, name FROM {schema}.later").fetchall() == [(1, 1, "c")]


def test_everything_belongs_to_the_owner(catalog: Snapshot, database: Database) -> None:
    """Not to the migrator who made it: so another migrator can change it, and none can be locked out."""
    owner = database.roles.name("owner")
    assert {table.qualified: table.owner for table in catalog.tables if table.owner != owner} == {}


@pytest.mark.parametrize(("role", "setting"), TIMEOUTS)
def test_timeouts_are_in_force_at_login(role: str, setting: str, database: Database) -> None:
    """They come with the role, so a client that sets nothing has them too."""
    with database.as_role(role).connect() as connection:
        assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (TIMEOUTS[role, setting],)


def test_a_statement_that_waits_for_a_lock_is_ended(database: Database, names: dict[str, sql.Composable]) -> None:
    """The app's lock_timeout is no mere setting: a request in a queue ends with 55P03, not with the lock."""
    with database.connect() as migrator:
        migrator.execute(sql.SQL("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE").format(**names))
        assert refusal(database, "app", "SELECT FROM {table}", names, "-c lock_timeout=10ms") == "55P03"


def test_the_owner_cannot_log_in(database: Database) -> None:
    """Nobody is the owner by a password; one becomes it through a role that is logged and limited."""
    with pytest.raises(psycopg.OperationalError, match="is not permitted to log in"):
        database.server.seen_by(database.roles.name("owner")).connect(database.name)


@pytest.mark.parametrize("role", LOGINS)
def test_no_login_has_further_rights(role: str, database: Database) -> None:
    """No superuser, nobody who makes roles or databases, nobody whom row security does not bind."""
    with database.connect() as connection:
        rights = connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname = %s",
            [database.roles.name(role)],
        ).fetchone()
    assert rights == (False,) * 5


def test_a_stranger_cannot_connect(connection: psycopg.Connection) -> None:
    """PUBLIC has no right on the database; only the four roles have."""
    query = "SELECT has_database_privilege('public', current_database(), 'CONNECT, TEMPORARY')"
    assert connection.execute(query).fetchone() == (False,)


@pytest.mark.own_cluster
def test_the_roles_can_be_made_again_and_by_several_at_once(empty_database: Database) -> None:
    """Four deployments at the same moment, and one more: nobody fails, and the rights are the same as after one."""
    file = empty_database.roles.file
    server = empty_database.server
    start = Barrier(4)

    def apply(_: int) -> None:
        start.wait()
        Roles(file, "crowd").apply(server, empty_database.name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(apply, range(4)))
    Roles(file, "crowd").apply(server, empty_database.name)
    Roles(file, "single").apply(server, empty_database.name)
    assert _rights(empty_database, "crowd") == _rights(empty_database, "single") != []


def _rights(database: Database, prefix: str) -> list[tuple[object, ...]]:
    """Attributes, settings, memberships and default privileges of the roles with a prefix, which is left out."""
    with database.as_role("superuser").connect() as connection:
        return connection.execute(
            "SELECT replace(rolname, %(p)s, ''), rolcanlogin, rolinherit, replace(setconfig::text, %(p)s, ''),"
            " ARRAY(SELECT replace(m.roleid::regrole::text, %(p)s, '') FROM pg_auth_members m WHERE m.member = r.oid),"
            " ARRAY(SELECT replace(d.defaclacl::text, %(p)s, '') FROM pg_default_acl d"
            "       WHERE d.defaclrole = r.oid ORDER BY d.defaclobjtype)"
            " FROM pg_roles r LEFT JOIN pg_db_role_setting s ON s.setrole = r.oid AND s.setdatabase = 0"
            " WHERE rolname LIKE %(p)s || '\\_%%' ORDER BY 1",
            {"p": prefix},
        ).fetchall()
