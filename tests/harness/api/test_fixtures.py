"""The markers and fixtures of API tests work in a small project."""

from __future__ import annotations

from textwrap import dedent

import pytest

pytestmark = pytest.mark.slow

OVER_IT = """
import pytest

@pytest.mark.query_budget(0, reason="this list needs no database at all, honestly")
def test_over_it(api):
    api.get("/items")

def test_nothing():
    pass
"""


def exempt(project: pytest.Pytester, *routes: str) -> None:
    """Let these routes be over the budget."""
    made = [
        f'{{ rule = "query-budget", object = "{route}", reason = "the list is being rewritten" }}' for route in routes
    ]
    path = project.path / "pyproject.toml"
    both = "supported = [15, 18]"
    path.write_text(path.read_text().replace(both, f"{both}\nexemptions = [{', '.join(made)}]"))


def test_the_growth_marker_compares_three_sizes(project: pytest.Pytester) -> None:
    """A list without a limit fails; the test itself is called with 1, 9 and 90 rows to add."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            import pytest

            calls = []

            @pytest.mark.growth
            def test_a_list(api, rows):
                calls.append(rows)
                api.seed("item", [{"name": str(number)} for number in range(rows)])
                api.get("/items")

            def test_the_sizes():
                assert calls == [1, 9, 90]
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*unbounded-list: GET /items*", "*100 items while 100 exist*"])


def test_a_raised_budget_needs_a_reason(project: pytest.Pytester) -> None:
    """A budget is raised with a reason, and an exemption of the project covers one route."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            import pytest

            @pytest.mark.query_budget(0, reason="this list needs no database at all, honestly")
            def test_over_it(api):
                api.get("/items")

            @pytest.mark.query_budget(1, reason="one statement is what it takes, and no more")
            def test_within(api):
                api.get("/items")
                assert api.last.queries == 1
                assert api.last.route == "GET /items"

            @pytest.mark.query_budget(5)
            def test_without_a_reason(api):
                api.get("/items")

            @pytest.mark.query_budget("5", reason="this list was once read from five ledgers")
            def test_with_a_text(api):
                api.get("/items")

            @pytest.mark.query_budget(5, reason="this list was once read from five ledgers")
            def test_of_former_times(api):
                api.get("/items")

            def test_rows_without_growth(api, rows):
                pass
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=2, errors=3)
    result.stdout.fnmatch_lines(["*query-budget: GET /items*", "*1 query, the budget is 0*", "*SELECT name FROM item*"])
    result.stdout.fnmatch_lines(["*stale-exemption: tests/api/test_it.py::test_of_former_times*", "*allows 5 queries*"])
    result.stdout.fnmatch_lines(["*write @pytest.mark.query_budget(5, reason=*"])
    result.stdout.fnmatch_lines(["*write @pytest.mark.query_budget(5, reason=*: '5' is not a number of queries"])
    result.stdout.fnmatch_lines(["*the fixture rows is for tests marked growth*"])


SHARED_BUDGET = """
import pytest

@pytest.mark.query_budget({}, reason="one of the cases reads the list four times")
@pytest.mark.parametrize("times", [1, 4])
def test_it(api, times):
    api.get("/items", params={{"times": times}})
"""


def test_a_budget_is_needed_by_one_of_the_tests_that_share_it(project: pytest.Pytester) -> None:
    """The cases of a parametrized test have one marker; a run of some of them does not know what the others need."""
    path = project.path / "shop" / "app.py"
    text = path.read_text().replace("def items(request: Request):", "def items(request: Request, times: int = 1):")
    many = "for n in 'abc'[: times - 1]:\n            request.state.connection.execute(f'SELECT id AS {n} FROM item')\n"
    path.write_text(text.replace("return request.state", f"{many}        return request.state"))
    project.makepyfile(**{"tests/api/test_it": SHARED_BUDGET.format(4)})
    project.runpytest_inprocess().assert_outcomes(passed=2)
    project.makepyfile(**{"tests/api/test_it": SHARED_BUDGET.format(5)})
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*stale-exemption: tests/api/test_it.py::test_it", "*allows 5 queries, 4 are enough"])
    project.runpytest_inprocess("-k", "1").assert_outcomes(passed=1, deselected=1)


def test_an_exemption_of_the_project_covers_one_route(project: pytest.Pytester) -> None:
    """What `[tool.harness]` accepts does not fail, and the summary prints it with its reason."""
    exempt(project, "GET /items")
    project.makepyfile(**{"tests/api/test_it": OVER_IT})
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*query-budget*GET /items*the list is being rewritten*"])


@pytest.mark.parametrize(
    ("arguments", "code"), [((), 1), (("-n2",), 1), (("-k", "over"), 0), (("tests/api/test_it.py",), 0)]
)
def test_an_exemption_that_nothing_needs_fails_a_whole_run(
    project: pytest.Pytester, arguments: tuple[str, ...], code: int
) -> None:
    """It is named at the end, by one process or several; a run of a part of the suite cannot know, and says nothing."""
    exempt(project, "GET /items", "GET /gone")
    project.makepyfile(**{"tests/api/test_it": OVER_IT})
    result = (project.runpytest_subprocess if arguments == ("-n2",) else project.runpytest_inprocess)(*arguments)
    assert result.ret == code
    stale = [line for line in result.outlines if "stale-exemption: " in line]
    assert stale == ["error: stale-exemption: query-budget:GET /gone at pyproject.toml"] * code


def test_an_app_may_be_started_once_a_module(project: pytest.Pytester) -> None:
    """Its tests share one app and its rows; each has its own budget, and other modules have an app for each test."""
    path = project.path / "shop" / "app.py"
    started = "started = []\n\ndef create_app(settings):\n    started.append(settings)\n"
    path.write_text(path.read_text().replace("def create_app(settings):\n", started))
    shared = """
        import pytest
        from shop.app import started

        @pytest.fixture(scope="module")
        def api(new_api):
            with new_api() as api:
                yield api

        @pytest.mark.query_budget(0, reason="this list needs no database at all, honestly")
        def test_over_it(api):
            api.get("/items")

        def test_one(api):
            api.seed("item", [{"name": "one"}])
            assert api.get("/items").json() == [["one"]]

        @pytest.mark.query_budget(5, reason="this list was once read from five ledgers")
        def test_two(api):
            assert api.get("/items").json() == [["one"]]
            assert len(started) == 1
        """
    alone = """
        def test_three(api):
            assert api.get("/items").json() == []
        """
    project.makepyfile(**{"tests/api/test_shared": shared, "tests/api/test_zone": alone})
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*query-budget: GET /items*", "*1 query, the budget is 0*"])
    result.stdout.fnmatch_lines(["*stale-exemption: tests/api/test_shared.py::test_two*"])


IMPORTED = """
    import os
    from contextlib import asynccontextmanager

    from fastapi import FastAPI
    from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text, create_engine, select

    metadata = MetaData()
    item = Table("item", metadata, Column("id", BigInteger, Identity(), primary_key=True), Column("name", Text))
    url = os.environ["SHOP_DATABASE_URL"].replace("postgresql://", "postgresql+DRIVER://")
    engine = create_engine(url, pool_size=1)

    @asynccontextmanager
    async def lifespan(app):
        with engine.connect():
            pass
        yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/ready")
    def ready():
        return {}

    @app.get("/items")
    def items():
        with engine.connect() as connection:
            return list(connection.scalars(select(item.c.name)))
    """


@pytest.mark.parametrize("driver", ["psycopg", "psycopg_async", "asyncpg"])
def test_an_engine_may_be_made_when_its_module_is_imported(project: pytest.Pytester, driver: str) -> None:
    """Each test has its own database all the same, and the observer sees what such an engine sends."""
    code = dedent(IMPORTED).replace("DRIVER", driver)
    if driver != "psycopg":
        code = code.replace(", create_engine", "")
        code = code.replace("create_engine", "create_async_engine").replace(" with engine", " async with engine")
        code = code.replace("list(conn", "list(await conn").replace("\ndef items", "\nasync def items")
        code = code.replace("import os\n", "import os\nfrom sqlalchemy.ext.asyncio import create_async_engine\n")
    (project.path / "shop" / "app.py").write_text(code)
    path = project.path / "pyproject.toml"
    path.write_text(path.read_text().replace("create_app", "app").replace('settings = "shop.app:Settings"', ""))
    body = """
        import pytest

        @pytest.mark.parametrize("name", ["a", "b", "c"])
        def test_it(api, app_process, name):
            api.seed("item", [{"name": name}])
            assert api.get("/items").json() == [name]
            assert (api.last.queries, api.last.connections) == (1, 0)
            with api.at(app_process.base_url) as client:
                assert client.get("/items").json() == [name]
        """
    project.makepyfile(**{"tests/api/test_it": body})
    project.runpytest_inprocess().assert_outcomes(passed=3)


def test_the_plans_of_what_was_sent_are_judged_at_the_end(project: pytest.Pytester) -> None:
    """A filter without an index is named with its route, and with the index to add."""
    path = project.path / "shop" / "app.py"
    path.write_text(path.read_text().replace("FROM item ORDER BY id", "FROM item WHERE name = 'a'"))
    project.makepyfile(**{"tests/api/test_it": "def test_it(api): api.get('/items').raise_for_status()"})
    result = project.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*query-without-index: GET /items*item(name)*", "*create_index(*"])


def test_a_coroutine_that_no_plugin_runs_shows_no_growth(project: pytest.Pytester) -> None:
    """It would pass without having sent a request."""
    project.makepyfile(
        **{
            "tests/api/test_it": """
            import pytest

            @pytest.mark.growth
            async def test_it(api, rows):
                raise AssertionError("it was run")
            """
        }
    )
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["a test marked growth is a plain function, or has the marker asyncio *"])
