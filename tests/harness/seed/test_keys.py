"""Each row gets its own parent, whatever the shape of the graph of foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase


def test_each_row_has_its_own_parent(db: SeedDatabase) -> None:
    """With as many parents as children no parent is used twice."""
    db.run(
        "CREATE TABLE owner (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);"
        "CREATE TABLE item (id serial PRIMARY KEY, owner_id bigint NOT NULL REFERENCES owner, other bigint"
        " REFERENCES owner)"
    )
    assert db.fill(25) == {"public.owner": 25, "public.item": 25}
    assert db.value("SELECT count(DISTINCT owner_id) FROM item") == 25
    assert db.value("SELECT count(DISTINCT other) FROM item") == 25


def test_too_few_parents_are_shared(db: SeedDatabase) -> None:
    """Parents that were there before are used in turn."""
    db.run(
        "CREATE TABLE owner (id int PRIMARY KEY); INSERT INTO owner VALUES (7), (9);"
        "CREATE TABLE item (id int PRIMARY KEY, owner_id int NOT NULL REFERENCES owner)"
    )
    assert db.fill(10) == {"public.item": 10}
    assert db.column("SELECT count(*) FROM item GROUP BY owner_id") == [5, 5]


def test_a_key_narrower_than_its_parent_takes_what_fits(db: SeedDatabase) -> None:
    """A smallint that refers to an integer uses the parents that it can hold, also in the adversarial pass."""
    db.run(
        "CREATE TABLE owner (id int PRIMARY KEY); INSERT INTO owner VALUES (-70000), (5), (70000);"
        "CREATE TABLE item (id int PRIMARY KEY, owner_id smallint NOT NULL REFERENCES owner)"
    )
    db.fill(6, adversarial=True)
    assert db.column("SELECT DISTINCT owner_id FROM item") == [5]


def test_a_table_refers_to_itself(db: SeedDatabase) -> None:
    """A tree has its rows in one chain; where NULL is forbidden and keys are unique they form a ring."""
    db.run(
        "CREATE TABLE node (id serial PRIMARY KEY, parent_id int REFERENCES node, CHECK (parent_id <> id));"
        "CREATE TABLE must (id int PRIMARY KEY, parent int NOT NULL REFERENCES must);"
        "CREATE TABLE link (id int PRIMARY KEY, next int NOT NULL UNIQUE REFERENCES link)"
    )
    db.fill(20)
    assert db.value("SELECT count(DISTINCT parent_id) FROM node") == 19
    assert db.column("SELECT id FROM must WHERE parent = id") == [1]
    assert db.value("SELECT count(DISTINCT next) FROM link WHERE next <> id") == 20


def test_composite_keys_that_share_a_column_agree(db: SeedDatabase) -> None:
    """Keys through a tenant point at rows of one tenant, also those to the table itself."""
    db.run(
        "CREATE TABLE tenant (id int PRIMARY KEY);"
        "CREATE TABLE person (tenant_id int REFERENCES tenant, id int, boss int, PRIMARY KEY (tenant_id, id),"
        "  FOREIGN KEY (tenant_id, boss) REFERENCES person (tenant_id, id));"
        "CREATE TABLE project (tenant_id int REFERENCES tenant, id int, PRIMARY KEY (tenant_id, id));"
        "CREATE TABLE part (tenant_id int, person int, project int, PRIMARY KEY (tenant_id, person, project),"
        "  FOREIGN KEY (tenant_id, person) REFERENCES person, FOREIGN KEY (tenant_id, project) REFERENCES project)"
    )
    assert db.fill(15)["public.part"] == 15
    assert db.value("SELECT count(DISTINCT tenant_id) FROM part") == 15
    assert db.value("SELECT count(*) FROM person WHERE boss IS NOT NULL") == 15


def test_a_cycle_is_opened_where_null_is_allowed(db: SeedDatabase) -> None:
    """A nullable key of a cycle is written last, and written."""
    db.run(
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b"
    )
    assert db.fill(12) == {"public.a": 12, "public.b": 12}
    assert db.value("SELECT count(DISTINCT b) FROM a") == 12


def test_a_cycle_is_opened_where_a_key_is_deferrable(db: SeedDatabase) -> None:
    """A key that is NOT NULL and deferrable is checked when all rows are there."""
    db.run(
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a int NOT"
        " NULL REFERENCES a);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b DEFERRABLE"
    )
    db.fill(12)
    assert db.value("SELECT count(DISTINCT b.id) FROM a JOIN b ON b.id = a.b") == 12


def test_a_cycle_that_nothing_opens_is_filled_all_the_same(db: SeedDatabase) -> None:
    """A key that is NOT NULL and never deferred waits for this one transaction, and is afterwards as it was."""
    db.run(
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL);"
        "CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);"
        "ALTER TABLE a ADD CONSTRAINT a_to_b FOREIGN KEY (b) REFERENCES b"
    )
    assert db.fill(12) == {"public.a": 12, "public.b": 12}
    assert db.value("SELECT count(DISTINCT b.id) FROM a JOIN b ON b.id = a.b") == 12
    assert db.value("SELECT count(*) FROM pg_constraint WHERE condeferrable OR NOT convalidated") == 0


def test_a_join_table_holds_every_pair_once(db: SeedDatabase) -> None:
    """A key of two foreign keys is filled beyond the number of parents, up to all pairs, and no further."""
    db.run(
        "CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 4);"
        "CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b SELECT generate_series(1, 6);"
        "CREATE TABLE ab (a int REFERENCES a, b int REFERENCES b, PRIMARY KEY (a, b))"
    )
    assert db.fill(100) == {"public.ab": 24}


def test_a_row_belongs_to_one_or_the_other(db: SeedDatabase) -> None:
    """Exactly one of two foreign keys is set, each in half of the rows."""
    db.run(
        "CREATE TABLE person (id int PRIMARY KEY); CREATE TABLE team (id int PRIMARY KEY);"
        "CREATE TABLE note (person int REFERENCES person, team int REFERENCES team, CHECK (num_nonnulls(person,"
        " team) = 1))"
    )
    db.fill(20)
    assert db.column("SELECT count(*) FROM note GROUP BY person IS NULL") == [10, 10]


def test_a_parent_outside_the_choice_must_have_rows(db: SeedDatabase) -> None:
    """Filling only the child is refused while its parent is empty; a nullable key is left open."""
    db.run(
        "CREATE TABLE owner (id int PRIMARY KEY); CREATE TABLE item (owner_id int NOT NULL REFERENCES owner);"
        "CREATE TABLE loose (owner_id int REFERENCES owner)"
    )
    assert db.fill(3, tables=["public.loose"]) == {"public.loose": 3}
    with pytest.raises(HarnessError, match=r"public\.item cannot .*public\.owner .*item_owner_id_fkey \(owner_id\)"):
        db.fill(3, tables=["public.item"])
