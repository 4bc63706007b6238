"""`new_database()` lends databases for a block, and keeps those of a failed test."""

from __future__ import annotations

import re

import psycopg
import pytest

pytestmark = pytest.mark.integration


def test_a_module_shares_a_database_and_its_tests_need_no_other(project: pytest.Pytester) -> None:
    """A fixture of a module fills it once; the module's tests see the rows, the next module gets a fresh one."""
    module = """
        import pytest

        @pytest.fixture(scope="module")
        def shop(new_database):
            with new_database() as database:
                with database.connect() as connection:
                    assert connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
                    connection.execute("INSERT INTO item (name) VALUES ('shared')")
                yield database

        @pytest.mark.parametrize("number", range(2))
        def test_sees_the_rows(shop, number):
            with shop.as_role("app").connect() as connection:
                assert connection.execute("SELECT name FROM item").fetchall() == [("shared",)]
        """
    project.makepyfile(**{"tests/test_one": module, "tests/test_other": module})
    project.runpytest_inprocess().assert_outcomes(passed=4)


def test_a_test_gets_several_databases(project: pytest.Pytester) -> None:
    """Each is fresh and its own, also next to the fixture `database`; what a block leaves does not reach the next."""
    project.makepyfile(
        **{
            "tests/test_it": """
            def count(database):
                with database.connect() as connection:
                    connection.execute("INSERT INTO item (name) VALUES ('a')")
                    return connection.execute("SELECT count(*) FROM item").fetchone()[0]

            def test_it(database, new_database):
                with new_database() as one, new_database() as other:
                    assert len({database.name, one.name, other.name}) == 3
                    assert [count(each) for each in (database, one, one, other)] == [1, 1, 2, 1]
                for _ in range(5):
                    with new_database() as later:
                        assert count(later) == 1
                assert count(database) == 2
            """
        }
    )
    project.runpytest_inprocess().assert_outcomes(passed=1)


GIVEN = """
    from hypothesis import given, settings, strategies

    counts = []

    @settings(deadline=None)
    @given(strategies.integers(0, 1000))
    def test_it(new_database, number):
        with new_database() as database, database.connect() as connection:
            counts.append(connection.execute("SELECT count(*) FROM item").fetchone())
            connection.execute("INSERT INTO item (name) VALUES (%s)", [str(number)])
            connection.commit()
            assert number < 700

    def test_each_example_was_alone(harness_run):
        assert set(counts) == {(0,)}
        open_databases = harness_run.databases.pool.foreground.administrator.run(
            "SELECT count(*) FROM pg_database WHERE datname ~ '^test_[0-9]'")
        assert open_databases.fetchone()[0] < 20
    """


def test_each_example_of_hypothesis_gets_a_fresh_database(project: pytest.Pytester) -> None:
    """None sees another's rows; of the examples that fail, only the smallest one's database is kept."""
    project.makepyfile(**{"tests/test_it": GIVEN})
    result = project.runpytest_inprocess("-p", "_hypothesis_pytestplugin", "--keep-db")
    result.assert_outcomes(failed=1, passed=1)
    kept = result.stdout.str().partition("databases kept until the next run")[2]
    (dsn,) = re.findall(r"psql '(.*)'", kept)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT name FROM item").fetchall() == [("700",)]
    project.makepyfile(**{"tests/test_it": "def test_it(database): pass"})
    project.runpytest_inprocess().assert_outcomes(passed=1)  # ends the server that was kept


def test_the_databases_of_a_failed_test_are_kept_and_named(project: pytest.Pytester) -> None:
    """All that it has at the time, the module's too; what another test used or has given back is not."""
    project.makepyfile(
        **{
            "tests/test_it": """
            import pytest

            names = []

            @pytest.fixture(scope="module")
            def shop(new_database):
                with new_database() as database:
                    names.append(database.name)
                    yield database

            def test_passes(shop, new_database):
                with pytest.raises(ZeroDivisionError), new_database() as given_back:
                    1 / 0

            def test_fails_too(shop):
                raise AssertionError

            def test_fails(shop, new_database):
                with new_database() as database:
                    names.append(database.name)
                with new_database() as one, new_database() as other:
                    names.extend([one.name, other.name])
                    raise AssertionError(",".join(names))

            def test_without(database):
                raise AssertionError
            """
        }
    )
    result = project.runpytest_inprocess("-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=3)
    names = re.findall(r"AssertionError: (\S*test_\S+)", result.stdout.str())[0].split(",")
    shown = re.findall(r"psql 'postgresql://postgres@/(\w+)\?", result.stdout.str())
    assert shown[0] == names[0]
    assert sorted(shown[1:4]) == sorted([names[0], names[2], names[3]])
    assert len(shown) == 5


@pytest.mark.parametrize(
    ("fixture", "says"),
    [
        ("database", "with new_database() as database:"),
        ("connection", "with new_database() as database, database.connect() as connection:"),
        ("empty_database", "with new_database() as database:"),
        ("api", "with new_api() as api:"),
        ("wire", "with new_api() as api:"),
    ],
)
def test_a_fixture_refused_for_its_scope_leads_to_its_factory(
    project: pytest.Pytester, fixture: str, says: str
) -> None:
    """pytest's ScopeMismatch and hypothesis's health check are followed by what to write instead, once each."""
    project.makepyfile(
        **{
            "tests/test_it": f"""
            import pytest
            from hypothesis import given, strategies

            @pytest.fixture(scope="module")
            def shop({fixture}):
                return {fixture}

            def test_module(shop):
                pass

            @given(strategies.integers())
            def test_given({fixture}, number):
                pass

            def test_another_error():
                raise RuntimeError("ScopeMismatch")
            """
        }
    )
    result = project.runpytest_inprocess("-p", "_hypothesis_pytestplugin")
    result.assert_outcomes(failed=2, errors=1)
    shown = result.stdout.str()
    assert shown.count(f"the fixture {fixture} belongs to one test.") == shown.count(says) == 2


def test_examples_of_hypothesis_may_share_an_app(project: pytest.Pytester) -> None:
    """One for the module, whose database is kept if a test fails, or one for each example."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            import pytest
            from hypothesis import given, settings, strategies

            @pytest.fixture(scope="module")
            def api(new_api):
                with new_api() as api:
                    yield api

            @settings(deadline=None)
            @given(strategies.integers(0, 9))
            def test_shared(api, number):
                assert api.get("/items").json() == []

            @settings(deadline=None, max_examples=5)
            @given(strategies.integers(0, 9))
            def test_alone(new_api, number):
                with new_api() as api:
                    api.seed("item", [{"name": "a"}])
                    assert api.get("/items").json() == [["a"]]

            def test_fails(api):
                assert api.get("/items").json() == []
                raise AssertionError("evidence")
            """
        }
    )
    result = project.runpytest_inprocess("-p", "_hypothesis_pytestplugin")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E * AssertionError: evidence"])
    assert len(re.findall(r"psql 'postgresql://postgres@/\w+\?", result.stdout.str())) == 1
