"""The plugin's options, markers and fixtures work in a small project."""

from __future__ import annotations

import pytest


def test_a_test_gets_a_migrated_database_and_the_header_names_the_server(project: pytest.Pytester) -> None:
    """The first test of a new project needs one word, `database`; the header says which Postgres and why."""
    project.makepyfile(
        **{
            "tests/test_it": """
            def test_it(database):
                with database.connect() as connection:
                    assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
            """
        }
    )
    result = project.runpytest_inprocess("-m", "integration")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["postgres: * in * by [[]tool.harness[]] postgres"])


def test_a_folder_marks_its_tests(project: pytest.Pytester) -> None:
    """`-m schema` selects tests/schema, and a test that asks for a database is `integration`."""
    body = "def test_it(): pass"
    for folder in ("migrations", "schema", "api", "other"):
        project.mkpydir(f"tests/{folder}").joinpath(f"test_{folder}.py").write_text(body)
    project.makepyfile(**{"tests/other/test_database": "def test_it(database): pass"})
    for marker in ("migrations", "schema", "api"):
        result = project.runpytest_inprocess("--collect-only", "-q", "-m", marker)
        result.stdout.fnmatch_lines(
            [f"tests/{marker}/test_{marker}.py::test_it", "1/5 tests collected (4 deselected)*"]
        )
    result = project.runpytest_inprocess("--collect-only", "-q", "-m", "integration")
    result.stdout.fnmatch_lines(["tests/other/test_database.py::test_it", "1/5 tests collected (4 deselected)*"])


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_test_for_a_newer_server_is_deselected_and_listed(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Neither skipped nor passed: the summary names it and what it needs, under xdist too."""
    body = "import pytest\n\n@pytest.mark.since({})\ndef test_it(database): pass"
    project.makepyfile(**{"tests/test_old": body.format(15), "tests/test_new": body.format(99)})
    result = project.runpytest_inprocess(*workers)
    result.assert_outcomes(passed=1, deselected=0 if workers else 1)
    result.stdout.fnmatch_lines(
        ["*1 deselected for this server*", "tests/test_new.py::test_it: needs PostgreSQL 99, and the server is *"]
    )


def test_a_word_that_matches_no_test_is_named(project: pytest.Pytester) -> None:
    """`-k` with a misspelt word does not look like a run that passed."""
    project.makepyfile(**{"tests/test_it": "def test_tags(): pass"})
    result = project.runpytest_inprocess("-k", "tgas")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["*nothing was tested*", "-k 'tgas' matches no test of this run"])
    project.runpytest_inprocess("-k", "tags").stdout.no_fnmatch_line("*nothing was tested*")


def test_an_api_test_may_not_ask_for_a_database(project: pytest.Pytester) -> None:
    """The error says why, and what to use instead; no traceback."""
    project.makepyfile(**{"tests/api/test_it": "def test_it(api, database): pass"})
    result = project.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_it asks for the fixture database. A test marked api sees the database as a*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_error_in_many_set_ups_is_printed_once(project: pytest.Pytester) -> None:
    """Such as a login that fails: the first test has the error, others are skipped in one line with their number."""
    body = """
        import pytest
        from harness.errors import HarnessError

        @pytest.fixture(params=["one", "two"])
        def broken(request):
            raise HarnessError(f"there is no {request.param}", remedy="make it")

        @pytest.mark.parametrize("number", range(5))
        def test_it(broken, number):
            pass
        """
    project.makepyfile(**{"tests/test_it": body})
    result = project.runpytest_inprocess("-ra")
    result.assert_outcomes(errors=2, skipped=8)
    assert result.stdout.str().count("remedy: make it") == 2
    result.stdout.fnmatch_lines(["SKIPPED [[]4[]] *the same error as test_it*: there is no one"])
    assert result.ret == 1


@pytest.mark.parametrize("fixture", ["connection", "empty_database"])
def test_an_api_test_may_not_ask_for_a_connection(project: pytest.Pytester, fixture: str) -> None:
    """A connection is a look behind the API too."""
    project.makepyfile(**{"tests/api/test_it": f"def test_it({fixture}): pass"})
    result = project.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*test_it asks for the fixture {fixture}. A test marked api sees*"])


def test_a_connection_leads_to_a_fresh_database_or_to_the_tests_own(project: pytest.Pytester) -> None:
    """As the migrator; with `database` in the same test it sees that one, and what was set there before."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest

            @pytest.mark.parametrize("number", range(4))
            def test_writes(connection, number, harness_run):
                assert harness_run.databases.template(migrated=True).opens_sessions
                assert connection.execute("SELECT session_user").fetchone() == ("shop_migrator",)
                connection.execute("INSERT INTO item (name) VALUES ('a')")
                assert connection.execute("SELECT count(*) FROM item").fetchone() == (1,)
                connection.commit()

            @pytest.fixture
            def generous(database):
                with database.as_role("superuser").connect() as connection:
                    connection.execute(f"ALTER DATABASE {database.name} SET work_mem TO '7MB'")

            def test_both(generous, connection, database):
                assert connection.info.dbname == database.name
                assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)

            @pytest.mark.own_cluster
            def test_on_a_cluster_for_this_test(connection):
                assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
            """,
            "tests/schema/test_schema": """
            def test_reads(connection):
                assert connection.execute("SELECT session_user").fetchone() == ("shop_readonly",)
                assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
            """,
        }
    )
    result = project.runpytest_inprocess("-m", "integration")
    result.assert_outcomes(passed=7)


def test_a_schema_test_cannot_write(project: pytest.Pytester) -> None:
    """Not as the owner, not as a superuser; the report says why, and the next test gets a database to write to."""
    project.makepyfile(
        **{
            "tests/schema/test_it": """
            import pytest

            @pytest.mark.parametrize("role", ["migrator", "superuser", "app"])
            def test_writes(database, role):
                with database.as_role(role).connect() as connection:
                    connection.execute("INSERT INTO item (name) VALUES ('a')")

            def test_reads(database, empty_database):
                with database.connect() as connection:
                    assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
                with empty_database.connect() as connection:
                    connection.execute("CREATE TABLE other (id bigint)")
            """,
            "tests/test_after": """
            def test_writes(database):
                with database.connect() as connection:
                    connection.execute("INSERT INTO item (name) VALUES ('a')")
            """,
        }
    )
    result = project.runpytest_inprocess("tests/schema", "tests/test_after.py")
    result.assert_outcomes(passed=2, failed=3)
    assert result.stdout.str().count("A test marked schema only reads") == 3
    result.stdout.fnmatch_lines(
        ["*cannot execute INSERT in a read-only transaction*", "A test marked schema only reads*"]
    )


def test_a_schema_test_that_fails_for_another_reason_gets_no_hint_about_writes(project: pytest.Pytester) -> None:
    """The hint would send a person to the wrong place."""
    body = """
        def test_compares(database):
            assert database is None

        def test_asks_wrongly(connection):
            connection.execute("SELECT nothing")

        def test_of_another_database(empty_database):
            with empty_database.as_role("app").connect() as connection:
                connection.execute("CREATE SCHEMA other")
        """
    project.makepyfile(**{"tests/schema/test_it": body})
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=3)
    result.stdout.no_fnmatch_line("*only reads*")


def test_an_api_test_speaks_http_and_seeds_as_the_operator(project: pytest.Pytester) -> None:
    """What `api.seed` puts in, the app answers with; `api.rows` sees what is there."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            def test_it(api):
                seeded = api.seed("item", [{"name": "a"}, {"name": "b"}])
                assert [row["name"] for row in seeded] == ["a", "b"]
                assert api.get("/items").json() == [["a"], ["b"]]
                assert api.rows("item") == seeded

            def test_the_next_starts_empty(api):
                assert api.get("/items").json() == []
            """
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_failed_test_says_where_its_database_is(project: pytest.Pytester) -> None:
    """The report prints an address that can be pasted; later tests of the run still find the database there."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import psycopg
            import pytest

            names = []

            def test_fails(database):
                names.append(database.as_role("superuser").dsn)
                raise AssertionError

            def test_passes(database):
                psycopg.connect(names[0]).close()
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*database, kept until the run ends; --keep-db keeps it longer*", "*psql 'postgresql://postgres@/*"]
    )


def test_a_developers_database_never_reaches_a_test(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address, or the file that has it, is dropped from the environment; the project's other settings stay."""
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://production/shop")
    monkeypatch.setenv("SHOP_DATABASE_URL_FILE", "/run/secrets/database")
    monkeypatch.setenv("SHOP_API_KEY", "required")
    project.makepyfile(
        **{
            "tests/test_it": """
            import os

            def test_it(database):
                assert "production" not in os.environ["SHOP_DATABASE_URL"]
                assert "SHOP_DATABASE_URL_FILE" not in os.environ
                assert os.environ["SHOP_API_KEY"] == "required"
            """
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_missing_major_stops_the_run_with_remedies(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """Exit code 2, what was found, where it was looked, what to do; no traceback."""
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass"})
    result = project.runpytest_subprocess("--pg", "3", *workers)
    assert result.ret == 2
    shown = result.stdout.str() + result.stderr.str()
    assert "no PostgreSQL 3 server was found (--pg asks for it)" in shown
    assert "remedy: install PostgreSQL 3" in shown
    assert "remedy: use a running server: --postgresql-host" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--harness-json", "nowhere/a.json"], "--harness-json nowhere/a.json cannot be written: No such file"),
        (["--harness-markdown", "tests"], "--harness-markdown tests cannot be written: Is a directory"),
        (["--postgresql-host=h", "--postgresql-port=abc"], "--postgresql-port abc is not a port"),
        (["--postgresql-host=h", "--postgresql-port=70000"], "--postgresql-port 70000 is not a port"),
    ],
)
def test_an_option_that_cannot_be_met_stops_the_run_before_a_test(
    project: pytest.Pytester, options: list[str], says: str
) -> None:
    """Exit code 2 and one text, not a traceback when all tests have run."""
    with pytest.raises(pytest.exit.Exception) as ended:
        project.parseconfigure(*options)
    assert ended.value.returncode == 2
    assert ended.value.msg.startswith(says)


def test_a_report_that_cannot_be_written_is_an_error(project: pytest.Pytester) -> None:
    """The run ends with 2, and the tests' own results are shown all the same."""
    body = "def test_it():\n    from pathlib import Path\n    Path('a.json').mkdir()"
    project.makepyfile(**{"tests/test_it": body})
    result = project.runpytest_inprocess("--harness-json", "a.json")
    result.assert_outcomes(passed=1)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*the harness stopped*", "a.json cannot be written: Is a directory"])


def test_a_run_without_integration_needs_no_postgres(project: pytest.Pytester) -> None:
    """The search is lazy: what needs no server runs where there is none."""
    project.makepyfile(**{"tests/test_it": "def test_with(database): pass\ndef test_without(): pass"})
    result = project.runpytest_inprocess("--pg", "3", "-m", "not integration")
    result.assert_outcomes(passed=1, deselected=1)


def test_a_test_may_stop_its_own_cluster(project: pytest.Pytester) -> None:
    """`own_cluster` gives a server that a test can stop and start, while the run's own goes on."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            import pytest

            @pytest.mark.own_cluster
            def test_it(api):
                api.server.stop()
                with pytest.raises(Exception):
                    api.rows("item")
                api.server.start()
                assert api.rows("item") == []

            def test_next(api):
                assert api.get("/items").json() == []
            """
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=2)
