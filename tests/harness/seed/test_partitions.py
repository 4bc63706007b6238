"""Every partition gets rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase


def test_every_partition_by_range_gets_rows(db: SeedDatabase) -> None:
    """Rows are dealt to each range and to the default partition, through gaps between them."""
    db.run(
        "CREATE TABLE e (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz, PRIMARY KEY (id, at))"
        " PARTITION BY RANGE (at);"
        "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');"
        "CREATE TABLE e2 PARTITION OF e FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');"
        "CREATE TABLE ed PARTITION OF e DEFAULT"
    )
    assert db.fill(31) == {"public.e": 31}
    assert sorted(db.column("SELECT count(*) FROM e GROUP BY tableoid")) == [10, 10, 11]


def test_every_partition_by_list_and_below_gets_rows(db: SeedDatabase) -> None:
    """Bounds of partitions of partitions are met together."""
    db.run(
        "CREATE TABLE s (id int, country text, amount numeric(10,2)) PARTITION BY LIST (country);"
        "CREATE TABLE s1 PARTITION OF s FOR VALUES IN ('CH', 'DE');"
        "CREATE TABLE s2 PARTITION OF s FOR VALUES IN ('FR') PARTITION BY RANGE (amount);"
        "CREATE TABLE s21 PARTITION OF s2 FOR VALUES FROM (0) TO (100);"
        "CREATE TABLE s22 PARTITION OF s2 FOR VALUES FROM (100) TO (MAXVALUE)"
    )
    db.fill(30)
    assert db.column("SELECT count(*) FROM s GROUP BY tableoid") == [10, 10, 10]


def test_partitions_by_hash_get_rows(db: SeedDatabase) -> None:
    """A hash spreads by itself; where remainders have no partition, rows are picked that have one."""
    db.run(
        "CREATE TABLE h (id uuid PRIMARY KEY) PARTITION BY HASH (id);"
        "CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
        "CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
        "CREATE TABLE g (id int PRIMARY KEY) PARTITION BY HASH (id);"
        "CREATE TABLE g1 PARTITION OF g FOR VALUES WITH (MODULUS 4, REMAINDER 1)"
    )
    assert db.fill(40) == {"public.g": 40, "public.h": 40}
    assert db.value("SELECT count(DISTINCT tableoid) FROM h") == 2


def test_keys_to_a_partitioned_table_are_met(db: SeedDatabase) -> None:
    """A partitioned table is a parent like another, also for a composite key and for itself."""
    db.run(
        "CREATE TABLE e (id int, at date, before int, before_at date, PRIMARY KEY (id, at),"
        "  FOREIGN KEY (before, before_at) REFERENCES e) PARTITION BY RANGE (at);"
        "CREATE TABLE e1 PARTITION OF e FOR VALUES FROM ('2024-01-01') TO ('2024-06-01');"
        "CREATE TABLE e2 PARTITION OF e FOR VALUES FROM ('2024-06-01') TO ('2025-01-01');"
        "CREATE TABLE c (e_id int NOT NULL, e_at date NOT NULL, FOREIGN KEY (e_id, e_at) REFERENCES e)"
    )
    db.fill(20)
    assert db.value("SELECT count(DISTINCT (e_id, e_at)) FROM c") == 20
    assert db.value("SELECT count(before) FROM e") == 19


def test_a_partition_may_ask_for_more(db: SeedDatabase) -> None:
    """A CHECK and a unique index that only one partition has are kept, also where its columns have another order."""
    db.run(
        "CREATE TABLE p (a int, b text, kind text) PARTITION BY LIST (kind);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('x');"
        "CREATE TABLE p2 (kind text, junk int, b text UNIQUE CHECK (b LIKE 'Z%'), a int); ALTER TABLE p2 DROP"
        " COLUMN junk;"
        "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN ('y')"
    )
    assert db.fill(20) == {"public.p": 20}
    assert db.value("SELECT count(DISTINCT b) FROM p2") == 10


def test_a_table_without_partitions_stays_empty(db: SeedDatabase) -> None:
    """It has no room for rows, and is no reason to fill nothing."""
    db.run("CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE t (id int)")
    assert db.fill(3) == {"public.p": 0, "public.t": 3}
