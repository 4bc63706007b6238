"""A run as a whole: the same every time, gentle with what is there, rows by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import seed
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.databases.databases import Database
    from tests.harness.seed.conftest import Ground

SHOP = """
CREATE TYPE state AS ENUM ('open', 'paid');
CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, key uuid
  NOT NULL DEFAULT gen_random_uuid());
CREATE TABLE orders (id serial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer, state state NOT NULL,
  total numeric(10,2) NOT NULL CHECK (total > 0), placed_at timestamptz NOT NULL DEFAULT now(),
  parent int REFERENCES orders);
"""


def test_the_same_schema_gives_the_same_rows(land: Ground) -> None:
    """Neither time nor chance is in the data."""
    land.run(SHOP)
    land.fill(50)
    first = land.digest()
    land.run("TRUNCATE customer, orders RESTART IDENTITY")
    land.fill(50)
    assert land.digest() == first


def test_adversarial_rows_are_the_same_too(land: Ground) -> None:
    """The second pass is as deterministic as the first."""
    land.run(SHOP)
    land.fill(50, adversarial=True)
    first = land.digest()
    land.run("TRUNCATE customer, orders RESTART IDENTITY")
    land.fill(50, adversarial=True)
    assert land.digest() == first


def test_tables_with_rows_are_left_alone(land: Ground) -> None:
    """A second run writes nothing; a table with one row keeps that row as its children's parent."""
    land.run(SHOP + "INSERT INTO customer (email) VALUES ('me@example.com')")
    assert land.fill(10) == {"public.orders": 10}
    assert land.fill(10) == {}
    assert land.value("SELECT count(DISTINCT customer_id) FROM orders") == 1


def test_sequences_go_on_behind_the_rows(land: Ground) -> None:
    """The next row gets the next number, of an identity and of a serial column, from where the sequence starts."""
    land.run(SHOP + "ALTER TABLE customer ALTER id RESTART WITH 500; ALTER TABLE customer ALTER id SET START WITH 500")
    land.fill(10)
    assert land.value("INSERT INTO customer (email) VALUES ('x') RETURNING id") == 510
    assert land.value("INSERT INTO orders (customer_id, state, total) VALUES (500, 'paid', 1) RETURNING id") == 11


def test_rows_by_hand_replace_those_of_their_table(land: Ground) -> None:
    """A table with given rows gets these only, JSON and identity included, and is a parent for the others."""
    land.run(SHOP + "ALTER TABLE customer ADD about jsonb")
    given = {"public.customer": [{"id": 7, "email": "a@example.com", "about": {"a": [1]}}, {"email": "b@example.com"}]}
    assert land.fill(10, given=given) == {"public.customer": 2, "public.orders": 10}
    assert land.column("SELECT about ->> 'a' FROM customer WHERE id = 7") == ["[1]"]


def test_wrong_rows_by_hand_are_named(land: Ground) -> None:
    """An unknown column is named with those that exist; a refused value with what the server said."""
    land.run(SHOP)
    with pytest.raises(HarnessError, match=r"public\.customer name mail, (.|\n)*email"):
        land.fill(1, given={"public.customer": [{"mail": "x"}]})
    with pytest.raises(HarnessError, match=r"public\.customer cannot be seeded.*email"):
        land.fill(1, given={"public.customer": [{"email": None}]})


def test_only_the_tables_asked_for_are_filled(land: Ground) -> None:
    """`tables` chooses; zero rows write nothing."""
    land.run(SHOP)
    assert land.fill(4, tables=["public.customer"]) == {"public.customer": 4}
    assert land.fill(0) == {}
    assert land.value("SELECT count(*) FROM orders") == 0


def test_progress_is_told(land: Ground) -> None:
    """Each table reports its rows up to their number."""
    land.run(SHOP)
    told: list[tuple[str, int, int]] = []
    land.fill(10_050, tables=["public.customer"], progress=lambda *step: told.append(step))
    assert told == [("public.customer", 10_000, 10_050), ("public.customer", 10_050, 10_050)]


def test_an_open_transaction_is_refused(land: Ground) -> None:
    """The catalogue is read in a transaction of its own, so an open one is an error, not a wait."""
    land.run(SHOP)
    with land.connection.transaction(), pytest.raises(HarnessError, match="commit or roll back"):
        land.fill(1)


def test_short_timeouts_do_not_stop_a_run(land: Ground) -> None:
    """A role's statement_timeout is meant for requests; the run sets it aside and leaves it as it was."""
    land.run(SHOP + "SET statement_timeout = '5s'")
    land.run(
        "CREATE TABLE seen (at text, id int GENERATED ALWAYS AS IDENTITY);"
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.at := current_setting('statement_timeout'); RETURN NEW; END $$;"
        "CREATE TRIGGER look BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION look()"
    )
    land.fill(2)
    assert land.column("SELECT DISTINCT at FROM seen") == ["0"]
    assert land.value("SHOW statement_timeout") == "5s"


def test_the_projects_own_schema_is_filled_by_its_owner(database: Database) -> None:
    """At head, as the migrator, every table gets its rows."""
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    with database.connect() as connection:
        filled = seed.fill(connection, 50)
        assert connection.execute(tables).fetchone() == (len(filled),)
    assert set(filled.values()) <= {50}
