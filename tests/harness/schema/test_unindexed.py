"""Statements and relationships without an index are found, and joins that are not needed."""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from harness.catalog import read_snapshot
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.examples import Example, examples_of
from harness.findings import Finding
from harness.schema.access.plans import RouteStatement
from harness.schema.access.relationships import mapped, relationship_without_index
from harness.schema.access.unindexed import unindexed
from harness.schema.alembic_code import model_index
from harness.schema.drift.drift import declared, schema_drift
from harness.sql.quoting import identifier


class Base(DeclarativeBase):
    """The models of these tests."""


tagged = sa.Table(
    "tagged",
    Base.metadata,
    sa.Column("book_id", sa.ForeignKey("book.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
)


class Author(Base):
    """Its books are found by an index."""

    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship(back_populates="author")
    reviews: Mapped[list[Review]] = relationship(back_populates="author")


class Book(Base):
    """Its tags are found by the key of the table between, which does not serve the other direction."""

    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id"), index=True)
    state: Mapped[str]
    title: Mapped[str]
    author: Mapped[Author] = relationship(back_populates="books")
    tags: Mapped[list[Tag]] = relationship(secondary=tagged)


class Review(Base):
    """Nothing finds an author's reviews."""

    __tablename__ = "review"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="reviews")


class Tag(Base):
    """A word."""

    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str]


MORE = """
CREATE EXTENSION citext;
CREATE TABLE account (id bigint PRIMARY KEY, mail citext UNIQUE, done boolean NOT NULL);
CREATE INDEX part ON book (title) WHERE state = 'open';
CREATE INDEX by_word ON tag (lower(word));
CREATE INDEX pair ON book (title, state);
"""


@pytest.fixture
def session(empty_database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The owner's session where the models and some more are made."""
    Base.metadata.create_all(empty_database.engine)
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(MORE)
        yield connection


def models(code: str) -> ModuleType:
    """A module with the models of an example."""
    module = ModuleType("models_of_an_example")
    module.__dict__["Base"] = type("Base", (DeclarativeBase,), {"__module__": module.__name__})
    names = {"sa": sa, "Mapped": Mapped, "mapped_column": mapped_column, "relationship": relationship}
    module.__dict__.update(names, datetime=dt)
    exec(compile(code, module.__name__, "exec", dont_inherit=True), module.__dict__)  # annotations are evaluated
    return module


def expected(example: Example) -> list[str]:
    """The rules that an example breaks."""
    return [example.rule] if example.breaks else []


@pytest.mark.parametrize("example", examples_of("relationship-without-index"), ids=lambda example: example.id)
def test_an_example_of_a_relationship_is_judged(example: Example, empty_database: Database) -> None:
    """Found where no index serves it, and only there."""
    module = models(example.code)
    module.Base.metadata.create_all(empty_database.engine)
    with empty_database.connect() as connection:
        found = relationship_without_index(mapped(module, module.Base.metadata), read_snapshot(connection))
    assert [item.rule.id for item in found] == expected(example)


@pytest.mark.parametrize("example", examples_of("schema-drift"), ids=lambda example: example.id)
def test_an_example_of_drift_is_judged(example: Example, empty_database: Database, database: Database) -> None:
    """Found where the models say something else, and only there."""
    metadata = models(example.code).Base.metadata
    snapshot = declared(metadata, empty_database.engine)
    with database.as_role("superuser").connect(autocommit=True) as connection:
        owner = database.roles.name("owner")
        connection.execute(b"DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(f'ALTER SCHEMA public OWNER TO "{owner}"'.encode())
        connection.execute(f'SET ROLE "{owner}"; {example.fields["migrated"]}'.encode())
        found = schema_drift(metadata, snapshot, read_snapshot(connection))
    assert [item.rule.id for item in found if item.object.startswith("index")] == expected(example)


@pytest.mark.parametrize("example", examples_of("query-without-index", "needless-join"), ids=lambda example: example.id)
def test_an_example_of_a_statement_is_judged(example: Example, empty_database: Database) -> None:
    """Found under its rule, or nothing is found."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(example.fields["migrated"].encode())
        found = unindexed(connection, read_snapshot(connection), [RouteStatement(example.code)])
    assert [item.rule.id for item in found] == expected(example)


@pytest.mark.parametrize(
    "index",
    [
        "CREATE INDEX i ON t (a, lower(b))",
        "CREATE UNIQUE INDEX i ON t (a DESC, b) INCLUDE (id) WHERE b <> 'x:y'",
        "CREATE UNIQUE INDEX i ON t (a DESC NULLS LAST, b NULLS FIRST) NULLS NOT DISTINCT",
        "CREATE INDEX i ON t USING gin (c)",
        'CREATE INDEX "I 1" ON t USING hash ("user")',
    ],
)
def test_an_index_that_only_migrations_make_is_declared_as_the_fix_says(index: str, empty_database: Database) -> None:
    """Pasted into the model, it makes the same index."""
    names = "id bigint PRIMARY KEY, a int, b text, c text[]"
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(f'CREATE TABLE t ({names}, "user" text); {index}'.encode())
        snapshot = read_snapshot(connection)
        table = snapshot.by_name["public.t"]
        [made] = [item for item in table.indexes if not item.primary]
        pasted = eval(model_index(table, made), {"Index": sa.Index, "sa": sa})
        columns: list[sa.Column[Any]] = [sa.Column(column.name) for column in table.columns]
        sa.Table("t", sa.MetaData(), *columns, pasted)
        connection.execute(f"DROP INDEX {identifier(made.name)}".encode())
        made_again = sa.create_mock_engine("postgresql+psycopg://", lambda sql, *_: statements.append(sql))
        statements: list[Any] = []
        pasted.create(made_again)
        connection.execute(str(statements[0].compile(dialect=made_again.dialect)).encode())
        [again] = [item for item in read_snapshot(connection).by_name["public.t"].indexes if not item.primary]
    assert again.definition == made.definition


def judged(session: psycopg.Connection[Any], text: str, *types: int) -> list[Finding]:
    """What is found in one statement of one endpoint."""
    return unindexed(session, read_snapshot(session), [RouteStatement(text, types, ("GET /books",))])


def test_every_side_of_a_relationship_is_judged(session: psycopg.Connection[Any]) -> None:
    """Both directions and the table between: only what no index serves is found, once."""
    found = relationship_without_index(mapped(sys.modules[__name__], Base.metadata), read_snapshot(session))
    assert [finding.object for finding in found] == [
        "Author.reviews -> public.review(author_id)",
        "Book.tags -> public.tagged(tag_id)",
    ]
    assert 'op.create_index("ix_review_author_id", "review", ["author_id"])' in found[0].fix
    assert "tagged_pkey (book_id, tag_id) begins with book_id" in found[1].message


SERVED = {
    "by key": "SELECT title FROM book WHERE id = $1",
    "the first key of two": "SELECT id FROM book WHERE title = $1",
    "range and order": "SELECT title FROM book WHERE id > $1 ORDER BY id LIMIT 10",
    "a page of one value": "SELECT id FROM book WHERE title = $1 AND state < $2 ORDER BY state DESC LIMIT 10",
    "a period": "SELECT id FROM book WHERE id > $1 AND title = $2",
    "no condition at all": "SELECT title FROM book ORDER BY id LIMIT 10",
    "join by an index": "SELECT b.title FROM author a JOIN book b ON b.author_id = a.id WHERE a.id = $1",
    "any of a list": "SELECT title FROM book WHERE author_id = ANY ($1)",
    "either of two": "SELECT title FROM book WHERE id = $1 OR author_id = $2",
    "expression": "SELECT id FROM tag WHERE lower(word) = lower($1)",
    "update by key": "UPDATE book SET title = $2 WHERE id = $1",
    "delete by reference": "DELETE FROM book WHERE author_id = $1 RETURNING id",
    "insert": "INSERT INTO tag (id, word) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    "exists": "SELECT 1 FROM author a WHERE id = $1 AND EXISTS (SELECT FROM book b WHERE b.author_id = a.id)",
    "a column called like a table": "SELECT t.id, t.tag FROM (SELECT id, title AS tag FROM book) t WHERE t.id = $1",
    "a filter with a subquery": "DELETE FROM tagged WHERE book_id = $1 AND tag_id NOT IN (SELECT id FROM tag)",
    "no plan to judge": "SET LOCAL lock_timeout = '1s'",
    "citext": "SELECT id FROM account WHERE mail = $1::citext",
}


@pytest.mark.parametrize("text", SERVED.values(), ids=SERVED)
def test_a_served_statement_is_clean(session: psycopg.Connection[Any], text: str) -> None:
    """Look-ups by the first key of an index, and statements without a condition, are no findings."""
    assert [str(finding) for finding in judged(session, text)] == []


UNSERVED = {
    "filter": ("SELECT id FROM account WHERE done = $1", "public.account(done)"),
    "order by key, filter by another": ("SELECT id FROM tag WHERE word = $1 ORDER BY id", "public.tag(word)"),
    "a page by key, filter by another": (
        "SELECT id FROM tag WHERE word = $1 AND id < $2 ORDER BY id DESC LIMIT 10",
        "public.tag(word, id)",
    ),
    "the second key of two": ("SELECT title FROM book WHERE state = $1", "public.book(state)"),
    "join": (
        "SELECT r.id FROM author a JOIN review r ON r.author_id = a.id WHERE a.id = $1",
        "public.review(author_id)",
    ),
    "another expression": ("SELECT id FROM tag WHERE upper(word) = upper($1)", "public.tag(word)"),
    "one side of OR": ("SELECT id FROM review WHERE id = $1 OR author_id = $2", "public.review(author_id"),
    "update": ("UPDATE review SET author_id = $2 WHERE author_id = $1", "public.review(author_id)"),
    "citext compared as varchar": ("SELECT id FROM account WHERE mail = $1::varchar", "public.account(mail)"),
}


@pytest.mark.parametrize(("text", "place"), UNSERVED.values(), ids=UNSERVED)
def test_a_statement_that_reads_a_whole_table_is_found(session: psycopg.Connection[Any], text: str, place: str) -> None:
    """The finding names the endpoint, the statement and the index to add."""
    found = [finding for finding in judged(session, text) if finding.rule.id == "query-without-index"]
    assert any(place in finding.object or "(id, author_id)" in finding.object for finding in found), found
    assert all(finding.object.startswith("GET /books ") and finding.statement == text for finding in found)
    assert all("op.create_index(" in finding.fix or "CITEXT" in finding.fix for finding in found)


ORDERS = {
    "order by key": ("SELECT id FROM tag WHERE word = $1 ORDER BY id", '["word", "id"]'),
    "order and limit": ("SELECT id FROM tag WHERE word = $1 ORDER BY id LIMIT 20", '["word", "id"]'),
    "descending": ("SELECT id FROM tag WHERE word = $1 ORDER BY id DESC LIMIT $2", '["word", "id"]'),
    "a page": ("SELECT id FROM tag WHERE word = $1 AND id < $2 ORDER BY id DESC LIMIT 10", '["word", "id"]'),
    "a boolean": ("SELECT id FROM account WHERE done = $1 ORDER BY id LIMIT 10", '["done", "id"]'),
    "a page of a boolean": (
        "SELECT id FROM account WHERE done = $1 AND id > $2 ORDER BY id LIMIT 10",
        '["done", "id"]',
    ),
    "a bare boolean": ("SELECT id FROM account WHERE NOT done ORDER BY id LIMIT 10", '["done"]'),
    "several": ("SELECT id FROM sale WHERE city = $1 AND shop = $2 ORDER BY id LIMIT 5", '["shop", "city", "id"]'),
    "a column without an index": (
        "SELECT s.id FROM sale s WHERE s.city = $1 ORDER BY s.price DESC, s.day DESC",
        '["city", "price", "day"]',
    ),
    "two directions": ("SELECT id FROM sale WHERE city = $1 ORDER BY price DESC, day", '["city"]'),
    "range and order": ("SELECT id FROM sale WHERE price > $1 ORDER BY id LIMIT 10", '["price"]'),
    "filter, range and order": (
        "SELECT id FROM sale WHERE city = $1 AND price BETWEEN $2 AND $3 ORDER BY id LIMIT 10",
        '["city", "id", "price"]',
    ),
    "a list": ("SELECT id FROM sale WHERE city = ANY ($1) ORDER BY id LIMIT 10", '["city"]'),
    "null": ("SELECT id FROM sale WHERE city IS NULL ORDER BY id LIMIT 10", '["city"]'),
    "either of two": ("SELECT id FROM sale WHERE city = $1 OR shop = $2 ORDER BY id LIMIT 10", '["shop"]'),
    "a word in lower case": ("SELECT id FROM sale WHERE lower(city) = lower($1) ORDER BY id", 'sa.text("lower('),
    "an expression": ("SELECT id FROM tag WHERE upper(word) = upper($1)", 'sa.text("upper('),
    "a join": (
        "SELECT s.id FROM sale s JOIN account a ON a.id = s.buyer WHERE s.city = $1 ORDER BY s.id LIMIT 9",
        '["city", "id"]',
    ),
    "a quoted name": ('SELECT id FROM "Odd" WHERE "user" = $1 ORDER BY id', '["user", "id"]'),
}
SALES = """
CREATE TABLE sale (
  id bigint PRIMARY KEY, shop int NOT NULL, city text, price int, day date, buyer bigint REFERENCES account
);
CREATE INDEX ON sale (buyer);
CREATE TABLE "Odd" (id bigint PRIMARY KEY, "user" text);
"""


def paste(session: psycopg.Connection[Any], fix: str) -> None:
    """Run each index of a fix as the revision that creates the table would."""
    named = "migration that creates the table: "
    written = io.StringIO()
    options = {"as_sql": True, "output_buffer": written}
    operations = Operations(MigrationContext.configure(dialect_name="postgresql", opts=options))
    for line in fix.splitlines():
        if line.startswith(named):
            exec(line.removeprefix(named), {"op": operations, "sa": sa})
    session.execute(written.getvalue().encode())


@pytest.mark.parametrize(("text", "keys"), ORDERS.values(), ids=ORDERS)
def test_the_index_of_a_fix_serves_filter_and_order(session: psycopg.Connection[Any], text: str, keys: str) -> None:
    """Built as printed, the finding is gone, though the plan could still walk another index for the order."""
    session.execute(SALES)
    [finding] = judged(session, text)
    assert keys in finding.fix
    paste(session, finding.fix)
    assert [str(item) for item in judged(session, text)] == []


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("city", "SELECT id FROM sale WHERE city = $1 ORDER BY id"),
        ("city", "SELECT id FROM sale WHERE city = $1 AND id < $2 ORDER BY id DESC LIMIT 10"),
        ("shop", "SELECT id FROM sale WHERE city = $1 AND shop = $2 ORDER BY id LIMIT 10"),
        ("city", "SELECT s.id FROM sale s JOIN account a ON a.id = s.buyer WHERE s.city = $1 ORDER BY s.id"),
    ],
)
def test_an_index_on_the_filter_alone_is_enough(session: psycopg.Connection[Any], column: str, text: str) -> None:
    """It finds the rows, and only these are sorted."""
    session.execute(SALES)
    assert [item.rule.id for item in judged(session, text)] == ["query-without-index"]
    session.execute(f"CREATE INDEX ON sale ({column})".encode())
    assert judged(session, text) == []


def test_an_index_for_a_join_does_not_serve_the_filter(session: psycopg.Connection[Any]) -> None:
    """From the other table an index finds the rows too, but every row of that table is read."""
    session.execute(f"{SALES}; CREATE INDEX ON sale (price)")
    text = "SELECT s.id FROM sale s JOIN account a ON a.id = s.buyer WHERE s.city = $1 ORDER BY s.id"
    [finding] = judged(session, text)
    assert finding.object == "GET /books public.sale(city)"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT id FROM sale WHERE $1::text IS NULL OR city = $1", "optional filter"),
        ("SELECT id FROM sale WHERE city LIKE $1", "GIN"),
        ("SELECT id FROM sale WHERE price::numeric = $1::numeric", ""),
        ("SELECT id FROM sale WHERE city <> $1", "B-tree"),
    ],
)
def test_no_index_is_printed_that_is_there_or_cannot_help(
    session: psycopg.Connection[Any], text: str, said: str
) -> None:
    """A condition that no index on the column serves has another remedy, at the latest when the index exists."""
    session.execute(SALES)
    [finding] = judged(session, text)
    assert said in finding.fix
    paste(session, finding.fix)
    [again] = judged(session, text)
    assert "create_index" not in again.fix
    assert again.object == finding.object


def test_a_citext_column_compared_with_text_is_found(session: psycopg.Connection[Any]) -> None:
    """The index is there; the type of the parameter loses it."""
    [by_cast] = judged(session, "SELECT id FROM account WHERE mail = $1::varchar")
    [by_type] = judged(session, "SELECT id FROM account WHERE mail = $1", 1043)
    assert "citext and is cast" in by_cast.message
    assert "citext and is cast" in by_type.message


def test_a_partial_index_that_a_generic_plan_cannot_use_is_an_info(
    session: psycopg.Connection[Any],
) -> None:
    """`state = $1` fits WHERE state = 'open' only for a known value."""
    session.execute("DROP INDEX pair")
    [finding] = judged(session, "SELECT id FROM book WHERE title = $1 AND state = $2")
    assert finding.severity == "info"
    assert "partial index part" in finding.message


def test_a_join_that_the_planner_removes_is_found(session: psycopg.Connection[Any]) -> None:
    """A LEFT JOIN by a unique key of which nothing is read."""
    [finding] = judged(
        session, "SELECT b.title FROM book b LEFT JOIN author AS a ON a.id = b.author_id WHERE b.id = $1"
    )
    assert (finding.rule.id, finding.object) == ("needless-join", "GET /books a")
    assert judged(session, "SELECT a.name FROM book b LEFT JOIN author a ON a.id = b.author_id WHERE b.id = $1") == []


def test_a_column_that_is_called_like_a_table_is_not_a_join(session: psycopg.Connection[Any]) -> None:
    """Commas separate tables in FROM alone."""
    session.execute("CREATE VIEW counted AS SELECT id, title AS author FROM book")
    assert judged(session, "SELECT counted.id, counted.author, author FROM counted WHERE counted.id = $1") == []
    [finding] = judged(session, "SELECT 1 FROM book b, (SELECT id FROM tag) t LEFT JOIN author a ON a.id = t.id")
    assert finding.object == "GET /books a"


def test_a_join_of_quoted_names_is_found(session: psycopg.Connection[Any]) -> None:
    """With a schema before the table, and an alias that needs quotes or none."""
    session.execute('CREATE TABLE "order" (id bigint PRIMARY KEY, up bigint)')
    for alias, called in ((' AS "O 1"', '"O 1"'), ("", '"order"')):
        join = f'LEFT JOIN ONLY public."order"{alias} ON {called}.id = b.id'
        [finding] = judged(session, f"SELECT b.title FROM public.book b {join} WHERE b.id = $1")
        assert finding.object == "GET /books " + called.strip('"')


def test_a_statement_that_cannot_be_planned_is_an_error(session: psycopg.Connection[Any]) -> None:
    """With the server's words, and the session as usable as before."""
    with pytest.raises(HarnessError, match="nowhere"):
        judged(session, "SELECT * FROM nowhere WHERE id = $1")
    assert session.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_executed(session: psycopg.Connection[Any]) -> None:
    """Statements that write are planned in a READ ONLY transaction and change nothing."""
    session.execute("INSERT INTO tag (id, word) VALUES (1, 'a')")
    judged(session, "DELETE FROM tag WHERE id = $1")
    judged(session, "INSERT INTO tag (id, word) VALUES (2, 'b')")
    assert session.execute("SELECT count(*) FROM tag").fetchone() == (1,)
