"""Filling is deterministic, keeps existing rows, and accepts given rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness import seed
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.databases.databases import Database
    from tests.harness.seed.conftest import SeedDatabase

SHOP = """
CREATE TYPE state AS ENUM ('open', 'paid');
CREATE TABLE customer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE, key uuid
  NOT NULL DEFAULT gen_random_uuid());
CREATE TABLE orders (id serial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customer, state state NOT NULL,
  total numeric(10,2) NOT NULL CHECK (total > 0), placed_at timestamptz NOT NULL DEFAULT now(),
  parent int REFERENCES orders);
"""


def test_the_same_schema_gives_the_same_rows(db: SeedDatabase) -> None:
    """Neither time nor chance is in the data."""
    db.run(SHOP)
    db.fill(50)
    first = db.digest()
    db.run("TRUNCATE customer, orders RESTART IDENTITY")
    db.fill(50)
    assert db.digest() == first


def test_adversarial_rows_are_the_same_too(db: SeedDatabase) -> None:
    """The second pass is as deterministic as the first."""
    db.run(SHOP)
    db.fill(50, adversarial=True)
    first = db.digest()
    db.run("TRUNCATE customer, orders RESTART IDENTITY")
    db.fill(50, adversarial=True)
    assert db.digest() == first


def test_tables_with_rows_are_left_alone(db: SeedDatabase) -> None:
    """A second run writes nothing; a table with one row keeps that row as its children's parent."""
    db.run(SHOP + "INSERT INTO customer (email) VALUES ('me@example.com')")
    assert db.fill(10) == {"public.orders": 10}
    assert db.fill(10) == {}
    assert db.value("SELECT count(DISTINCT customer_id) FROM orders") == 1


def test_sequences_go_on_behind_the_rows(db: SeedDatabase) -> None:
    """The next row gets the next number, of an identity and of a serial column, from where the sequence starts."""
    db.run(SHOP + "ALTER TABLE customer ALTER id RESTART WITH 500; ALTER TABLE customer ALTER id SET START WITH 500")
    db.fill(10)
    assert db.value("INSERT INTO customer (email) VALUES ('x') RETURNING id") == 510
    assert db.value("INSERT INTO orders (customer_id, state, total) VALUES (500, 'paid', 1) RETURNING id") == 11


def test_rows_by_hand_replace_those_of_their_table(db: SeedDatabase) -> None:
    """A table with given rows gets these only, JSON and identity included, and is a parent for the others."""
    db.run(SHOP + "ALTER TABLE customer ADD about jsonb")
    given = {"public.customer": [{"id": 7, "email": "a@example.com", "about": {"a": [1]}}, {"email": "b@example.com"}]}
    assert db.fill(10, given=given) == {"public.customer": 2, "public.orders": 10}
    assert db.column("SELECT about ->> 'a' FROM customer WHERE id = 7") == ["[1]"]


def test_wrong_rows_by_hand_are_named(db: SeedDatabase) -> None:
    """An unknown column is named with those that exist; a refused value with what the server said."""
    db.run(SHOP)
    with pytest.raises(HarnessError, match=r"public\.customer name mail, (.|\n)*email"):
        db.fill(1, given={"public.customer": [{"mail": "x"}]})
    with pytest.raises(HarnessError, match=r"public\.customer cannot be seeded.*email"):
        db.fill(1, given={"public.customer": [{"email": None}]})


def test_only_the_tables_asked_for_are_filled(db: SeedDatabase) -> None:
    """`tables` chooses; zero rows write nothing."""
    db.run(SHOP)
    assert db.fill(4, tables=["public.customer"]) == {"public.customer": 4}
    assert db.fill(0) == {}
    assert db.value("SELECT count(*) FROM orders") == 0


def test_progress_is_reported(db: SeedDatabase) -> None:
    """Each table reports its rows up to their number."""
    db.run(SHOP)
    steps: list[tuple[str, int, int]] = []
    db.fill(10_050, tables=["public.customer"], progress=lambda *step: steps.append(step))
    assert steps == [("public.customer", 10_000, 10_050), ("public.customer", 10_050, 10_050)]


def test_an_open_transaction_is_refused(db: SeedDatabase) -> None:
    """The catalog is read in a separate transaction, so an open one is an error, not a wait."""
    db.run(SHOP)
    with db.connection.transaction(), pytest.raises(HarnessError, match="commit or roll back"):
        db.fill(1)


def test_short_timeouts_do_not_stop_a_run(db: SeedDatabase) -> None:
    """A role's statement_timeout is meant for requests; the run sets it aside and leaves it as it was."""
    db.run(SHOP + "SET statement_timeout = '5s'")
    db.run(
        "CREATE TABLE seen (at text, id int GENERATED ALWAYS AS IDENTITY);"
        "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.at := current_setting('statement_timeout'); RETURN NEW; END $$;"
        "CREATE TRIGGER look BEFORE INSERT ON seen FOR EACH ROW EXECUTE FUNCTION look()"
    )
    db.fill(2)
    assert db.column("SELECT DISTINCT at FROM seen") == ["0"]
    assert db.value("SHOW statement_timeout") == "5s"


def test_the_projects_own_schema_is_filled_by_its_owner(database: Database) -> None:
    """At head, as the migrator, every table gets its rows."""
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    with database.connect() as connection:
        filled = seed.fill(connection, 50)
        assert connection.execute(tables).fetchone() == (len(filled),)
    assert set(filled.values()) <= {50}
