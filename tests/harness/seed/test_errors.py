"""The error for a table that cannot be filled names the constraint and shows how to give rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase

IMPOSSIBLE = """
CREATE FUNCTION luhn(t text) RETURNS bool IMMUTABLE LANGUAGE sql AS $$ SELECT md5(t) = repeat('0', 32) $$;
CREATE TABLE good (id int PRIMARY KEY);
CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY, number text NOT NULL CONSTRAINT is_luhn CHECK
  (luhn(number)))
"""


def test_a_check_that_nothing_meets_is_named(db: SeedDatabase) -> None:
    """Table, constraint, its text, some of what was tried, and the hook with the column to give."""
    db.run(IMPOSSIBLE)
    with pytest.raises(HarnessError) as caught:
        db.fill(10)
    said = str(caught.value)
    assert "public.account cannot be seeded" in said
    assert "is_luhn: public.luhn(number)" in said
    assert 'seed = {"public.account": [{"number": …}]}' in said
    assert "such as" in said


def test_nothing_is_written_when_one_table_fails(db: SeedDatabase) -> None:
    """A run is one transaction, and the connection can be used after it."""
    db.run(IMPOSSIBLE)
    with pytest.raises(HarnessError):
        db.fill(10)
    assert db.value("SELECT count(*) FROM good") == 0


def test_a_trigger_that_refuses_is_named(db: SeedDatabase) -> None:
    """The error carries what the trigger said, and its name."""
    db.run(
        "CREATE TABLE t (id int); CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'only by the importer'; END $$;"
        "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(
        HarnessError, match=r"public\.t cannot.*only by the importer \[P0001\](.|\n)*guard \(public\.refuse"
    ):
        db.fill(10)


def test_a_trigger_that_drops_every_row_is_named(db: SeedDatabase) -> None:
    """Rows that vanish are not counted as written."""
    db.run(
        "CREATE TABLE t (id int); CREATE FUNCTION drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN"
        " NULL; END $$;"
        "CREATE TRIGGER sink BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION drop()"
    )
    with pytest.raises(HarnessError, match=r"10 rows sent and none kept(.|\n)*sink"):
        db.fill(10)


def test_forced_row_security_is_named(db: SeedDatabase) -> None:
    """COPY does not work under row security; the owner passes unless it is forced."""
    db.run(
        "CREATE ROLE seed_owner_of_rows; GRANT CREATE ON SCHEMA public TO seed_owner_of_rows; SET ROLE"
        " seed_owner_of_rows;"
        "CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON t USING (id < 0)"
    )
    try:
        assert db.fill(3) == {"public.t": 3}
        db.run("TRUNCATE t; ALTER TABLE t FORCE ROW LEVEL SECURITY")
        with pytest.raises(HarnessError, match=r"row security is forced on the owner \(policies: mine\).*BYPASSRLS"):
            db.fill(3)
    finally:
        db.run("RESET ROLE; DROP OWNED BY seed_owner_of_rows; DROP ROLE seed_owner_of_rows")


def test_an_unknown_table_is_refused(db: SeedDatabase) -> None:
    """A name that is no table, in `tables` or in `given`, lists those that are."""
    db.run("CREATE TABLE t (id int)")
    with pytest.raises(HarnessError, match=r"t cannot be seeded(.|\n)*public\.t"):
        db.fill(1, tables=["t"])
    with pytest.raises(HarnessError, match=r"public\.u cannot be seeded"):
        db.fill(1, given={"public.u": []})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([1], "[1] is not a dictionary of tables"),
        ({1: []}, "1 is not a table's name"),
        ({"public.t": None}, "None is not a list of the rows of public.t"),
        ({"public.t": {"id": 1}}, "{'id': 1} is not a list of the rows of public.t"),
        ({"public.t": "title"}, "'title' is not a list of the rows of public.t"),
        ({"public.t": [1]}, "1 is not a row of public.t"),
        ({"public.t": [{1: 1}]}, "{1: 1} is not a row of public.t"),
    ],
)
def test_rows_by_hand_of_another_shape_are_shown(db: SeedDatabase, given: Any, says: str) -> None:
    """What was written is said, with an example, and no row is."""
    db.run("CREATE TABLE t (id int)")
    with pytest.raises(HarnessError) as caught:
        db.fill(1, given=given)
    assert f"given: {says}" in str(caught.value)
    assert '{"public.account": [{"id": 1,' in str(caught.value)
    assert db.value("SELECT count(*) FROM t") == 0
