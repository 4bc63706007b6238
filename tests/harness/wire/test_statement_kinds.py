"""What drivers send for themselves is not taken for what an app asks, nor the contrary."""

from __future__ import annotations

from typing import LiteralString

import asyncpg.introspection
import psycopg
import pytest
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo
from psycopg.types.enum import EnumInfo
from psycopg.types.multirange import MultirangeInfo
from psycopg.types.range import RangeInfo

from harness.wire.observer import Observer
from harness.wire.statement_kinds import asks_about_session, asks_about_types, declared_query, kind_of

RESET = "SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ; ",
        "SET search_path TO shop",
        "show standard_conforming_strings",
        "/* pool */ RESET ALL",
        RESET,
        "DISCARD ALL",
        "DEALLOCATE ALL",
        'DEALLOCATE "_pg3_0"',
        "SELECT current_setting('jit') AS cur, set_config('jit', 'off', false) AS new",
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "SELECT set_config('jit', $1, false)",
    ],
)
def test_what_sets_a_session_up_is_no_query(text: str) -> None:
    """The commands for parameters, listeners and prepared statements, alone or in one string, also as functions."""
    assert kind_of(text) == "set-up"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "SELECT pg_advisory_unlock_all()",
        "SELECT pg_advisory_unlock_all(); SELECT 1",
        "RESET ALL; DELETE FROM item",
        "SELECT set_config('shop.customer', $1, true)",
        "SELECT set_config($1, $2, true)",
        "SELECT current_setting('jit'), count(*) FROM item",
        "SELECT coalesce(current_setting('shop.customer', true), '')",
        "PREPARE item AS SELECT 1",
        "DECLARE walk CURSOR FOR SELECT 1",
        "BEGIN; SELECT 1; COMMIT",
        "CLOSE_ITEM()",
    ],
)
def test_what_an_app_asks_is_a_query(text: str) -> None:
    """Locks, its own parameters, and whatever is sent together with something else."""
    assert kind_of(text) == "query"


@pytest.mark.parametrize("text", ["BEGIN;", "BEGIN ISOLATION LEVEL SERIALIZABLE;", "SAVEPOINT a; RELEASE a", "end"])
def test_transaction_control_may_be_several_statements(text: str) -> None:
    """Drivers end each with a semicolon, or send two at once."""
    assert kind_of(text) == "transaction control"


def test_a_reset_that_ends_a_transaction_is_transaction_control() -> None:
    """asyncpg's pool puts ROLLBACK first where the app has left a transaction open."""
    assert kind_of(f"ROLLBACK;\n{RESET}") == "transaction control"


@pytest.mark.parametrize(
    "text", ["FETCH FORWARD 10 FROM walk", 'FETCH ALL FROM "c_7f_1"', "MOVE 5 IN walk", "CLOSE walk"]
)
def test_a_cursor_is_read_by_fetches(text: str) -> None:
    """The query is what it was declared for."""
    assert kind_of(text) == "fetch"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ('DECLARE "c_7f_1" CURSOR FOR SELECT id FROM item', "SELECT id FROM item"),
        ("declare walk no scroll cursor with hold for\n SELECT 1 FOR UPDATE", "SELECT 1 FOR UPDATE"),
        ("SELECT 'DECLARE walk CURSOR FOR x'", "SELECT 'DECLARE walk CURSOR FOR x'"),
    ],
)
def test_the_query_of_a_cursor_is_found(text: str, query: str) -> None:
    """Whatever its name is, so that a cursor in a loop is a loop."""
    assert declared_query(text) == query


QUESTIONS = {
    name: text
    for name in ("INTRO_LOOKUP_TYPES", "INTRO_LOOKUP_TYPES_13", "TYPE_BY_NAME")
    if (text := getattr(asyncpg.introspection, name, ""))
} | {
    "psycopg2's hstore": "SELECT t.oid, typarray FROM pg_type t JOIN pg_namespace ns ON typnamespace = ns.oid",
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_driver_asks_about_types(name: str) -> None:
    """Recognised by the catalogs that the statement reads, not by its text."""
    assert asks_about_types(QUESTIONS[name])


@pytest.mark.parametrize(
    "text", ["select pg_catalog.version()", "select current_schema()", "SELECT pg_catalog.pg_is_in_recovery()"]
)
def test_a_driver_asks_what_it_has_reached_before_the_first_query(
    wire: Observer, observed: str, text: LiteralString
) -> None:
    """SQLAlchemy does, and libpq for target_session_attrs; later it is a query of the app."""
    for first, kind in (("SET search_path TO public", "prepare"), ("SELECT 1", "query")):
        with psycopg.connect(observed, autocommit=True) as client, wire.recording() as seen:
            client.execute(first)
            client.execute(text)
            wire.settle()
        assert (seen.statements[-1].kind, asks_about_session(text)) == (kind, True)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT typname FROM pg_type, item",
        "SELECT typname FROM pg_type JOIN item ON item.kind = typname",
        "SELECT typname FROM pg_type WHERE oid IN (SELECT kind FROM item)",
        "WITH gone AS (DELETE FROM item RETURNING kind) SELECT typname FROM pg_type",
        "WITH types AS (SELECT kind FROM item) SELECT typname FROM pg_type JOIN types ON true",
        "SELECT reltuples FROM pg_class WHERE relname = 'item'",
        "SELECT count(*) FROM pg_stat_activity",
        "SELECT version(), count(*) FROM item",
        "SELECT now()",
        "SELECT item_count()",
        "INSERT INTO item SELECT typname FROM pg_type",
        "SELECT 1; SELECT typname FROM pg_type",
    ],
)
def test_an_app_asks_about_its_own_tables(text: str) -> None:
    """Also where it reads the catalog of types on the way, and where it only reads other catalogs."""
    assert not asks_about_types(text)
    assert not asks_about_session(text)


@pytest.mark.parametrize("kind", [TypeInfo, EnumInfo, RangeInfo, MultirangeInfo, CompositeInfo])
def test_psycopg_asks_about_a_type_once(wire: Observer, observed: str, kind: type[TypeInfo]) -> None:
    """What is asked again with the same values, on the same connection, is the app's own query."""
    with psycopg.connect(observed, autocommit=True) as client:
        for times, kinds in enumerate(("prepare", "query")):
            with wire.recording() as seen:
                kind.fetch(client, "int4")
                wire.settle()
            assert [item.kind for item in seen.statements if "pg_type" in item.text] == [kinds], times
        with wire.recording() as seen:
            kind.fetch(client, "int8")
            wire.settle()
        assert seen.kinds["query"] == 0
