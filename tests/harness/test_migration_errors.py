"""A revision that does not run is reported once: its file, its line, and the words of Python or the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.alembic_config import upgrade
from harness.config import Config
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.migration_errors import MigrationError, migration_errors
from tests.harness.conftest import FILES
from tests.harness.projects import ENV, harness_table, write_files, write_project, write_revision

TESTS = {
    "tests/api/test_items": """
        def test_one(api):
            assert api.get("/items").json() == []

        def test_two(api):
            assert api.get("/items").json() == []
        """,
    "tests/schema/test_rules": "def test_the_catalog(catalog): pass",
    "tests/migrations/test_hazards": """
        def test_a_revision_does_no_harm(judge_revision):
            judge_revision()
        """,
    "tests/migrations/test_stairway": """
        import alembic.command

        def test_up_and_down(alembic_config, alembic_engine):
            alembic_config.attributes["connection"] = alembic_engine
            alembic.command.upgrade(alembic_config, "head")
            alembic.command.downgrade(alembic_config, "base")
        """,
    "tests/test_alone": "def test_alone(): pass",
}
"""Five tests that need a database, of every suite, and one that needs none."""


@pytest.fixture
def shop(tmp_path: Path, harness_config: Config) -> Config:
    """A project of one revision, 0001, that is not the tests' working directory."""
    config = write_project(tmp_path / "shop", harness_config.roles_path, harness_table(), FILES)
    (config.root / "pyproject.toml").write_text(harness_table() + "[tool.alembic]\nscript_location = 'migrations'\n")
    write_revision(config.migrations_path / "versions", "0001", None, "CREATE TABLE item (id int)", "DROP TABLE item")
    return config


def refused(shop: Config, database: Database) -> str:
    """Return the error of an upgrade, with paths below the migrations."""
    with pytest.raises(HarnessError) as error:
        upgrade(shop, database.url)
    return str(error.value).replace(f"{shop.migrations_path}/", "")


@pytest.mark.parametrize(
    ("body", "names", "says"),
    [
        ("op.execute(", "", "0002.py, line 10: SyntaxError: '(' was never closed\n  looked at: op.execute("),
        ("SELECT  nothing", "", '0002.py, line 10: UndefinedColumn: column "nothing" does not exist\n  LINE 1: SELECT'),
        ("SELECT  nothing", "", "\n  statement: SELECT nothing\n  looked at: op.execute('SELECT  nothing')\n  remedy:"),
        ("op.add_colum()", "", "0002.py, line 10: AttributeError: "),
        ("raise SystemExit(3)", "", "0002.py, line 10: it ends the process with 3\n  looked at: raise SystemExit(3)"),
        ("", "import nowhere", "0002.py, line 6: ModuleNotFoundError: No module named 'nowhere'\n  looked at: import"),
        ("", "nowhere", "0002.py, line 6: NameError: name 'nowhere' is not defined\n  looked at: nowhere"),
        (
            "",
            "<<<<<<< HEAD",
            "0002.py, line 6: SyntaxError: invalid syntax\n  looked at: <<<<<<< HEAD\n  remedy: resolve",
        ),
    ],
)
def test_the_line_of_a_revision_that_failed_is_named(
    shop: Config, empty_database: Database, body: str, names: str, says: str
) -> None:
    """With what Python or the server says, and the statement that the server rejected."""
    write_revision(shop.migrations_path / "versions", "0002", "0001", body, names=names)
    assert says in refused(shop, empty_database)


def test_the_line_of_env_py_that_failed_is_named(shop: Config, empty_database: Database) -> None:
    """Its own error, and one in a module that it imports, which is named instead."""
    write_files(shop.root, {"migrations/env.py": f"{ENV}\n1 / 0"})
    assert "env.py, line 12: ZeroDivisionError: division by zero" in refused(shop, empty_database)
    models = shop.root / "models.py"
    models.write_text("def (")
    write_files(shop.root, {"migrations/env.py": f"import sys\nsys.path.insert(0, {str(shop.root)!r})\nimport models"})
    assert refused(shop, empty_database).startswith(f"{models}, line 1: SyntaxError: invalid syntax")


CREATE = """
op.create_table(
    "loan",
    sa.Column("note", sa.Text(), server_default="open"),
    sa.Column("state", sa.Enum("OPEN", "CLOSED", name="loan_state"), server_default="open"),
)
"""
ALTER = """
CREATE TYPE "Loan state" AS ENUM ('OPEN')
ALTER TABLE item ADD COLUMN "the state" "Loan state"
ALTER TABLE item ALTER COLUMN "the state" SET DEFAULT 'open'
"""


@pytest.mark.parametrize(
    ("body", "column", "looked_at"),
    [
        (CREATE, "state a label of loan_state", 'op.create_table("loan", …'),
        (ALTER, '"the state" a label of "Loan state"', "op.execute('ALTER TABLE item ALTER COLUMN"),
    ],
    ids=["create", "alter"],
)
def test_a_default_that_is_no_label_of_its_enum_names_the_column(
    shop: Config, empty_database: Database, body: str, column: str, looked_at: str
) -> None:
    """And the model: autogenerate has copied its server_default into the revision."""
    write_revision(shop.migrations_path / "versions", "0002", "0001", body)
    found = refused(shop, empty_database)
    assert f"\n  looked at: {looked_at}" in found
    assert f"\n  remedy: give the column {column} as its default, first in the model: SQLAlchemy stores" in found
    assert "correct this line" not in found


def test_a_value_that_is_no_label_is_no_default(shop: Config, empty_database: Database) -> None:
    """A row with a wrong value says nothing about the model."""
    body = "CREATE TYPE mood AS ENUM ('good')\nCREATE TABLE day (mood mood)\nINSERT INTO day VALUES ('bad')"
    write_revision(shop.migrations_path / "versions", "0002", "0001", body)
    assert refused(shop, empty_database).endswith("\n  remedy: correct this line")


@pytest.mark.parametrize("broken", ["env.py", "versions/0002.py"])
def test_the_line_of_a_model_that_failed_is_named(shop: Config, empty_database: Database, broken: str) -> None:
    """Not the line of env.py or of a revision that imports it; the revision is still known as the one that fails."""
    models = shop.root / "db" / f"model_of_{broken[:3]}.py"
    write_files(shop.root, {f"db/{models.name}": "import json\nfrom nowhere import Thing"})
    text = f"import sys\nsys.path.insert(0, {str(models.parent)!r})\nimport {models.stem}\n"
    write_revision(shop.migrations_path / "versions", "0002", "0001", names=text if "versions" in broken else "")
    if broken == "env.py":
        write_files(shop.root, {"migrations/env.py": text + ENV})
    with pytest.raises(MigrationError) as error:
        upgrade(shop, empty_database.url)
    said = f"{models}, line 2: ModuleNotFoundError: No module named 'nowhere'\n  looked at: from nowhere import Thing\n"
    assert str(error.value) == f"{said}  remedy: correct this line"
    assert error.value.file == (shop.migrations_path / broken).resolve()


def test_a_long_statement_is_cut(shop: Config, empty_database: Database) -> None:
    """A function of a hundred lines is not printed."""
    write_revision(shop.migrations_path / "versions", "0002", "0001", f"SELECT {'nothing, ' * 999} nothing")
    assert len(refused(shop, empty_database)) < 9_999


@pytest.mark.parametrize(
    ("revision", "down", "says"),
    [
        ("0001", None, "revision 0001 is in 2 files\n  looked at: versions/0001.py\n  looked at: versions/z.py\n"),
        ("0002", None, "the history has 2 heads: 0001 and 0002\n  looked at: versions/0001.py\n  looked at: versions"),
        ("0002", "0000", "revision 0002 is based on 0000, which is not here\n  looked at: versions/z.py\n"),
    ],
)
def test_two_branches_are_refused_before_a_database_is_made(
    shop: Config, empty_database: Database, revision: str, down: str | None, says: str
) -> None:
    """One id in two files, two last revisions, or one that is based on nothing; nothing is migrated."""
    versions = shop.migrations_path / "versions"
    write_revision(versions / "new", revision, down).rename(versions / "z.py")
    found = refused(shop, empty_database)
    assert found.startswith(says)
    assert ("python3 run.py revision --renumber" in found) is (down is None)
    with empty_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_branches_with_labels_may_end_apart(shop: Config, empty_database: Database) -> None:
    """They are two histories on purpose, and `heads` migrates both."""
    versions = shop.migrations_path / "versions"
    write_revision(versions, "b1", None, "CREATE TABLE b (id int)", names="branch_labels = ('b',)")
    upgrade(shop, empty_database.url)
    with empty_database.connect() as connection:
        assert len(connection.execute("SELECT version_num FROM alembic_version").fetchall()) == 2


def test_an_error_outside_the_migrations_is_raised_unchanged(shop: Config) -> None:
    """A bug of the tools is not reported as an error of a revision."""
    with pytest.raises(ZeroDivisionError), migration_errors(shop.migrations_path):
        _ = 1 / 0


def test_the_file_of_the_error_is_known(shop: Config, empty_database: Database) -> None:
    """So that the test that judges this revision can still run."""
    path = write_revision(shop.migrations_path / "versions", "0002", "0001", "1 / 0")
    with pytest.raises(MigrationError) as error:
        upgrade(shop, empty_database.url)
    assert error.value.file == path.resolve()


BROKEN = {
    "sql": ("ALTER TABLE items ADD COLUMN price int", "", 'line 11: UndefinedTable: relation "items" does not exist'),
    "python": ("op.execute(sql)", "", "line 11: NameError: name 'sql' is not defined"),
    "syntax": ("op.execute(", "", "line 11: SyntaxError: '(' was never closed"),
    "import": ("", "import nowhere", "line 6: ModuleNotFoundError: No module named 'nowhere'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-m", "api"), ("-n", "2")], ids=["all", "api", "two workers"])
@pytest.mark.parametrize("broken", [*BROKEN])
def test_a_run_on_a_broken_revision_says_so_once(
    project: pytest.Pytester, broken: str, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 and at most twenty lines; without the test that judges the revision no test runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
    body, names, says = BROKEN[broken]
    attempts = project.path / "attempts"
    write_revision(
        project.path / "migrations" / "versions",
        "0002",
        "0001",
        f"with open({str(attempts)!r}, 'a') as file: file.write('.')\n{body}",
        names=names,
    )
    project.makepyfile(**{name: text for name, text in TESTS.items() if "hazards" not in name})
    result = project.runpytest_subprocess("-q", *options)
    text = result.stdout.str()
    assert result.ret == 2, text
    assert text.count(says) == 1, text
    assert result.parseoutcomes().keys() <= {"deselected"}, text
    assert len(text.splitlines()) <= 20, text
    assert "Traceback" not in text + result.stderr.str()
    assert len(attempts.read_text() if attempts.exists() else "") <= (2 if "-n" in options else 1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_the_test_that_judges_a_broken_revision_explains_it(
    project: pytest.Pytester, workers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its finding has the fix; the error itself is not printed next to it, and no other test runs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
    versions = project.path / "migrations" / "versions"
    write_revision(versions, "0002", "0001", "CREATE INDEX CONCURRENTLY item_name ON item (name)")
    project.makepyfile(**TESTS)
    result = project.runpytest_subprocess("-q", *workers)
    text = result.stdout.str()
    assert result.ret == 2, text
    result.assert_outcomes(failed=1)
    assert "error: concurrently-in-transaction: 0002 at migrations/versions/0002.py:10" in text
    assert "no other test was run, because no database can be made without migrations/versions/0002.py" in text
    assert len(text.splitlines()) <= 40, text


@pytest.mark.slow
def test_a_test_without_a_database_runs_with_a_broken_revision(project: pytest.Pytester) -> None:
    """Nothing is migrated for it."""
    write_revision(project.path / "migrations" / "versions", "0002", "0001", "1 / 0")
    project.makepyfile(**TESTS)
    project.runpytest_inprocess("-q", "-k", "alone").assert_outcomes(passed=1, deselected=6)


@pytest.mark.slow
def test_a_broken_downgrade_fails_only_the_tests_that_need_it(project: pytest.Pytester) -> None:
    """Each with the line of the downgrade, and without the frames of Alembic and SQLAlchemy."""
    versions = project.path / "migrations" / "versions"
    write_revision(versions, "0002", "0001", "ALTER TABLE item ADD COLUMN price int", "ALTER TABLE item DROP price, x")
    project.makepyfile(**TESTS)
    result = project.runpytest_inprocess("-q")
    result.assert_outcomes(passed=5, failed=2)
    said, place = "SyntaxError: syntax error at or near *", "0002.py, line 14"
    result.stdout.fnmatch_lines([f"  downgrade() fails: {said}", f"  at {place}: op.execute(*"])
    result.stdout.fnmatch_lines([f"migrations/versions/{place}: {said}"])
    result.stdout.no_fnmatch_line("*sqlalchemy*")
    assert len(result.stdout.lines) <= 40, result.stdout.str()


@pytest.mark.slow
def test_a_conflict_in_head_py_is_refused_before_anything_is_collected(project: pytest.Pytester) -> None:
    """Both branches of a merge have added a revision; every import of the app would fail."""
    lines = "REVISIONS = (\n<<<<<<< HEAD\n    'a',\n=======\n    'b',\n>>>>>>> main\n)\n"
    write_files(project.path, {"src/shop/app/head.py": lines})
    project.makepyfile(**TESTS)
    result = project.runpytest_subprocess("-q")
    assert result.ret == 2
    text = result.stdout.str() + result.stderr.str()
    assert "src/shop/app/head.py has conflict markers: both branches of this merge have added a revision" in text
    assert "python3 run.py revision --renumber" in text
    assert len(text.splitlines()) <= 4, text
