"""Any CHECK is met for which a candidate passes, since the server evaluates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.harness.seed.conftest import SeedDatabase

COLUMNS = {
    "list": "text NOT NULL CHECK (c IN ('new', 'open', 'done'))",
    "list of varchar": "varchar(10) NOT NULL CHECK (c = ANY (ARRAY['a', 'b']))",
    "list of numbers": "int NOT NULL CHECK (c = ANY (ARRAY[10, 20, 30]))",
    "between": "int NOT NULL CHECK (c BETWEEN 1 AND 5)",
    "adult": "int NOT NULL CHECK (c >= 18 AND c < 150)",
    "percent": "numeric(5,2) NOT NULL CHECK (c >= 0 AND c <= 100)",
    "fraction": "float8 NOT NULL CHECK (c > 0 AND c < 1)",
    "negative": "int NOT NULL CHECK (c < 0)",
    "divisible": "int NOT NULL CHECK (c % 97 = 0)",
    "length": "text NOT NULL CHECK (char_length(c) = 5)",
    "short": "text NOT NULL CHECK (length(c) <= 3)",
    "long": "text NOT NULL CHECK (length(c) >= 300)",
    "octets": "text NOT NULL CHECK (octet_length(c) BETWEEN 10 AND 12)",
    "bytes": "bytea NOT NULL CHECK (length(c) = 32)",
    "code": "text NOT NULL CHECK (c ~ '^[A-Z]{3}-[0-9]{4}$')",
    "words": "text NOT NULL CHECK (c ~ '^[a-z]+(-[a-z]+)*$')",
    "email": "text NOT NULL CHECK (c ~* '^[A-Z0-9._%+-]+@[A-Z0-9.-]+\\.[A-Z]{2,4}$')",
    "phone": "text NOT NULL CHECK (c ~ '^\\+[1-9]\\d{1,14}$')",
    "alternatives": "text NOT NULL CHECK (c ~ '^(CHE|DE)[0-9]{9}$')",
    "like": "text NOT NULL CHECK (c LIKE 'ORD-%')",
    "like with an escape": "text NOT NULL CHECK (c LIKE 'sk\\_live\\_%')",
    "similar": "text NOT NULL CHECK (c SIMILAR TO '[0-9]{3}-[0-9]{4}')",
    "ilike": "text NOT NULL CHECK (c ILIKE '%@%.com')",
    "lower": "text NOT NULL CHECK (lower(c) = c)",
    "upper": "char(3) NOT NULL CHECK (upper(c) = c)",
    "trimmed": "text NOT NULL CHECK (trim(c) <> '')",
    "url": "text NOT NULL CHECK (c ~ '^https?://')",
    "not": "text NOT NULL CHECK (NOT (c ~ '[0-9]'))",
    "either": "int NOT NULL CHECK (c = 7 OR c > 1000)",
    "date": "date NOT NULL CHECK (c < '2000-01-01')",
    "future": "timestamptz NOT NULL CHECK (c >= '2030-01-01')",
    "window": "timestamp NOT NULL CHECK (c >= '2024-02-01' AND c < '2024-03-01')",
    "interval": "interval NOT NULL CHECK (c > '0' AND c <= '1 day')",
    "array": "text[] NOT NULL CHECK (cardinality(c) BETWEEN 1 AND 3)",
    "array of three": "int[] NOT NULL CHECK (array_length(c, 1) = 3)",
    "json": "jsonb NOT NULL CHECK (jsonb_typeof(c) = 'array')",
    "json keys": "jsonb NOT NULL CHECK (c ? 'name' AND jsonb_typeof(c -> 'name') = 'string')",
    "mondays": "date NOT NULL CHECK (extract(isodow FROM c) = 1)",
    "zone": "text NOT NULL CHECK (now() AT TIME ZONE c IS NOT NULL)",
    "family": "inet NOT NULL CHECK (family(c) = 6)",
    "range": "tstzrange NOT NULL CHECK (NOT isempty(c) AND lower(c) >= '2024-01-01')",
    "is not null": "text CHECK (c IS NOT NULL)",
    "default": "text NOT NULL DEFAULT 'Qx7-ok' CHECK (md5(c) = md5('Qx7-ok') AND length(c) > 5)",
}

ROWS = {
    "less": "a int NOT NULL, b int NOT NULL, CHECK (a < b)",
    "after": "a timestamptz NOT NULL, b timestamptz NOT NULL, CHECK (b > a)",
    "within a month": "a date NOT NULL, b date NOT NULL, CHECK (b >= a AND b <= a + 30)",
    "sum": "total int NOT NULL, part int NOT NULL, rest int NOT NULL, CHECK (total = part + rest)",
    "one": "a int, b int, CHECK (num_nonnulls(a, b) = 1)",
    "either": "a text, b text, CHECK (a IS NOT NULL OR b IS NOT NULL)",
    "kinds": "kind text NOT NULL CHECK (kind IN ('a', 'b')), a int, b int, "
    "CHECK (kind = 'a' AND a IS NOT NULL AND b IS NULL OR kind = 'b' AND b IS NOT NULL AND a IS NULL)",
    "ordered or open": "a numeric, b numeric, CHECK (a IS NULL OR b IS NULL OR a < b)",
    "discount": "discount int NOT NULL, price int NOT NULL, CHECK (discount BETWEEN 0 AND price), CHECK (price > 0)",
    "chain": "a int NOT NULL, b int NOT NULL, c int NOT NULL, d int NOT NULL, CHECK (a < b AND b < c), CHECK (c < d)",
    "states": "state text NOT NULL CHECK (state IN ('draft', 'live')), live_at timestamptz, "
    "CHECK ((state = 'draft') = (live_at IS NULL))",
    "opposites": "a bool NOT NULL, b bool NOT NULL, CHECK (a <> b)",
    "same": "name text NOT NULL, slug text NOT NULL, CHECK (slug = lower(name))",
    "product": "w int NOT NULL, h int NOT NULL, area int GENERATED ALWAYS AS (w * h) STORED, CHECK (area <"
    " 1000), UNIQUE (w, h)",
    "words of SQL": '"order" int NOT NULL, "Twice $" int GENERATED ALWAYS AS ("order" * 2) STORED, "end" int NOT NULL, '
    'CHECK ("Twice $" > 10000), CHECK ("end" = "order")',
}


def _table(name: str) -> str:
    return '"' + name + '"'


def test_every_common_check_is_met(db: SeedDatabase) -> None:
    """Each form of CHECK on one column gets all its rows, with values, not with NULLs."""
    for name, column in COLUMNS.items():
        db.run(f"CREATE TABLE {_table(name)} (id int PRIMARY KEY, c {column})")
    filled = db.fill(40)
    assert set(filled.values()) == {40}
    assert len(filled) == len(COLUMNS)
    assert [name for name in COLUMNS if db.value(f"SELECT count(*) FROM {_table(name)} WHERE c IS NULL")] == []


def test_checks_between_columns_are_met(db: SeedDatabase) -> None:
    """Conditions that tie columns together get all their rows."""
    for name, columns in ROWS.items():
        db.run(f"CREATE TABLE {_table(name)} ({columns})")
    assert set(db.fill(40).values()) == {40}
    assert sorted(db.column("SELECT count(*) FROM kinds GROUP BY kind")) == [20, 20]
    assert sorted(db.column("SELECT count(*) FROM one GROUP BY a IS NULL")) == [20, 20]


def test_a_rare_value_is_picked_out_by_the_server(db: SeedDatabase) -> None:
    """A condition that says nothing of its values is asked about candidates until there are enough rows."""
    db.run(
        "CREATE FUNCTION fits(n int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT abs(hashint4(n)) % 11 = 3';"
        "CREATE TABLE odd (id int PRIMARY KEY CHECK (fits(id)), name text NOT NULL)"
    )
    assert db.fill(100) == {"public.odd": 100}


def test_a_condition_that_only_a_late_row_breaks_is_met(db: SeedDatabase) -> None:
    """When a sample was good and COPY is refused all the same, every row is judged."""
    db.run("CREATE TABLE late (id int PRIMARY KEY CHECK (id <> 18), name text)")
    assert db.fill(30) == {"public.late": 30}


def test_a_check_that_is_not_valid_yet_holds_for_new_rows(db: SeedDatabase) -> None:
    """NOT VALID spares the rows that are there, not those that come."""
    db.run("CREATE TABLE t (id int); ALTER TABLE t ADD CONSTRAINT c CHECK (id < 0) NOT VALID")
    assert db.fill(5) == {"public.t": 5}


def test_conditions_on_generated_columns_are_met(db: SeedDatabase) -> None:
    """A generated column, stored or virtual, is computed before a CHECK on it is judged."""
    kinds = ["STORED"] if db.major < 18 else ["STORED", "VIRTUAL"]
    for kind in kinds:
        db.run(
            f"CREATE TABLE {kind} (a int NOT NULL, b int GENERATED ALWAYS AS (a * -2) {kind}, CHECK (b > 10));"
            f"CREATE TABLE {kind}2 (first_name text, short varchar(12) GENERATED ALWAYS AS (left(first_name,"
            f" 10)) {kind})"
        )
    assert set(db.fill(20).values()) == {20}


def test_a_not_null_that_is_not_valid_yet_holds_for_new_rows(db: SeedDatabase) -> None:
    """Postgres 18 has NOT NULL NOT VALID; a column under it is never left open."""
    db.run("CREATE TABLE t (a int, b int, CHECK (num_nonnulls(a, b) = 1))")
    db.run("ALTER TABLE t ALTER a SET NOT NULL" if db.major < 18 else "ALTER TABLE t ADD NOT NULL a NOT VALID")
    assert db.fill(5, adversarial=True) == {"public.t": 5}
    assert db.value("SELECT count(a) FROM t") == 5


def test_percent_signs_and_odd_names_do_not_matter(db: SeedDatabase) -> None:
    """Names that need quotes, and signs that a driver could take for its own, are only names and signs."""
    db.run(
        'CREATE TABLE "Odd ""name" ("select" int PRIMARY KEY, "a%s" text NOT NULL CHECK ("a%s" LIKE \'x%%\'),'
        ' "Ü b" int);'
        'CREATE TABLE child ("date" date, "text" int REFERENCES "Odd ""name", a int, b int)'
    )
    assert db.fill(6) == {'public.Odd "name': 6, "public.child": 6}
