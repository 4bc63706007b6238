"""The fixtures of the API suite, and its markers `query_budget` and `growth`."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from harness.api.app_process import AppProcess
from harness.api.app_server import AppServer
from harness.api.client import Client, Login
from harness.api.exchange import Exchange, Limits
from harness.api.growth import STEPS, judge
from harness.api.in_flight import observed_tasks
from harness.api.rules import judge_budget
from harness.api.transport import JudgingTransport, StatementsSent
from harness.config import Config
from harness.databases.databases import Database, Databases
from harness.findings import Exemption
from harness.postgres.server import Cluster
from harness.run import Run
from harness.wire.fixed_address import FixedLogin
from harness.wire.observer import Observer

MARKERS = {
    "query_budget(queries, reason=…)": "allows each request of an API test this many queries instead of 3",
    "growth": "runs a test at 1, 10 and 100 rows; its last request must take the same number of queries each time",
}


SHARED = pytest.StashKey[list[JudgingTransport]]()
"""On pytest's config: the transports of apps that several tests share."""


NEEDED = pytest.StashKey[dict[str, dict[str, int | None]]]()
"""On pytest's config: by what has the marker query_budget, the most queries that each test needed, None before."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


@pytest.fixture(scope="session")
def app_server(harness_run: Run) -> Iterator[AppServer]:
    """The run's uvicorn."""
    with observed_tasks(), contextlib.closing(AppServer(harness_run.fixed_port)) as running:
        yield running


@pytest.fixture(scope="session")
def statements_sent() -> StatementsSent:
    """The statements that the app has sent to API tests so far."""
    return {}


@pytest.fixture(scope="session")
def login() -> Login:
    """How a client logs in, for a project to define in tests/api/conftest.py; by default nobody does."""
    return {}


@pytest.fixture
def api(
    request: pytest.FixtureRequest,
    harness_run: Run,
    harness_databases: Databases,
    app_server: AppServer,
    statements_sent: StatementsSent,
    login: Login,
) -> Iterator[Client]:
    """An HTTP client of the real app under uvicorn, on a fresh database, which the app sees as its own role.

    It is logged in as `user`, by the fixture `login`. Each request is recorded on the wire and judged by the test's
    query budget (see `harness.api.exchange`).
    """
    request.getfixturevalue("statements_judged")
    limits = limits_of(request.node)
    cluster = harness_databases.cluster if harness_databases.alone else None
    with (
        harness_run.lend(request.node, harness_databases) as fresh,
        _client(harness_run, app_server, statements_sent, fresh, login, limits, cluster) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def new_api(
    request: pytest.FixtureRequest, harness_run: Run, app_server: AppServer, statements_sent: StatementsSent
) -> Callable[..., AbstractContextManager[Client]]:
    """A function whose result is, as the subject of a `with` statement, a client of an app that several tests share.

    It takes what the fixture `login` gives. It serves a fixture of a module, for an app whose lifespan is slow.
    """
    request.getfixturevalue("statements_judged")
    shared = request.config.stash.setdefault(SHARED, [])

    @contextlib.contextmanager
    def new_api(login: Login | None = None) -> Iterator[Client]:
        with (
            harness_run.loans.lend() as fresh,
            _client(harness_run, app_server, statements_sent, fresh, login, Limits()) as client,
        ):
            shared.append(client.transport)
            try:
                yield client
            finally:
                shared.remove(client.transport)

    return new_api


@contextlib.contextmanager
def _client(
    run: Run,
    server: AppServer,
    sent: StatementsSent,
    database: Database,
    login: Login | None,
    limits: Limits,
    cluster: Cluster | None = None,
) -> Iterator[Client]:
    """Run the app on a database behind an observer, and yield a client that is logged in."""
    verdict = partial(run.judge, "api")
    with (
        run.address_for_app(database) as address,
        Observer(address, fixed=_fixed_login(run, database)) as wire,
        server.host(run.config, wire.dsn(database.as_role("app").dsn)) as app,
        Client(
            server.base_url,
            database,
            JudgingTransport(wire, server.inflight, sent, verdict, limits),
            cluster,
            app=app,
            login=login,
        ) as client,
    ):
        client.log_in("user")
        yield client


def _fixed_login(run: Run, database: Database) -> FixedLogin | None:
    """Return where an app that read its address when it was imported is to connect."""
    app = database.as_role("app")
    return FixedLogin(run.fixed_port, app.address.user, app.name) if run.fixed_port else None


@pytest.fixture
def wire(api: Client) -> Observer:
    """The observer between the app and its database; after a fault requests are no longer judged."""
    return api.wire


@pytest.fixture
def app_process(api: Client, harness_config: Config) -> Iterator[AppProcess]:
    """The app as a second process, on the database of `api` and behind the same observer."""
    with AppProcess(harness_config, api.app_dsn) as process:
        yield process


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> int:
    """The number of rows that a test marked `growth` is to add."""
    if request.node.get_closest_marker("growth") is None:
        pytest.fail("the fixture rows is for tests marked growth, which run once for each size", pytrace=False)
    return STEPS[0]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test marked `growth` once for each size, and compare its last requests."""
    if pyfuncitem.get_closest_marker("growth") is None:
        return None
    missing = {"api", "rows"} - set(pyfuncitem.funcargs)
    if missing:
        pytest.fail(f"a test marked growth needs the fixtures api and rows; it lacks {', '.join(missing)}", False)
    if inspect.iscoroutinefunction(pyfuncitem.obj):  # pytest-asyncio has made it a plain one by now
        pytest.fail("a test marked growth is a plain function, or has the marker asyncio of pytest-asyncio", False)
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments: dict[str, Any] = {name: pyfuncitem.funcargs[name] for name in names}
    measured: dict[int, Exchange] = {}
    for before, size in pairwise((0, *STEPS)):
        pyfuncitem.obj(**arguments | {"rows": size - before})
        measured[size] = arguments["api"].last
    arguments["api"].transport.verdict(judge(measured)).enforce()
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None]:
    """Judge the budget that a marker raises by what requests needed, when all its tests have run and were judged.

    A test that shares its app with others has its own limits all the same.
    """
    with contextlib.ExitStack() as held:
        for transport in item.config.stash.get(SHARED, ()):
            held.enter_context(transport.limited(limits_of(item)))
        yield
    api = getattr(item, "funcargs", {}).get("api")
    if api is None or item.get_closest_marker("query_budget") is None or api.transport.unjudged:
        return
    needed = item.config.stash[NEEDED][_marked(item)]
    needed[item.nodeid] = api.transport.most
    if all(most is not None for most in needed.values()):
        most = max(filter(None, needed.values()), default=0)
        api.transport.verdict(judge_budget(_marked(item), limits_of(item), most)).enforce()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Remember which tests have the same budget, those that the run leaves out too."""
    if item.get_closest_marker("query_budget") and "api" in getattr(item, "fixturenames", ()):
        item.config.stash.setdefault(NEEDED, {}).setdefault(_marked(item), {})[item.nodeid] = None


def _marked(item: pytest.Item) -> str:
    """Return the id of what has the marker: a test with all its parameters, one of these, a class, a module."""
    node, mark = next(item.iter_markers_with_node("query_budget"))
    callspec = getattr(item, "callspec", None)
    if node is item and not (callspec and mark in callspec.marks):
        return item.nodeid.partition("[")[0]
    return node.nodeid


def limits_of(item: pytest.Item) -> Limits:
    """Return the limits of a test's requests: the default, or those of its marker `query_budget`."""
    marker = item.get_closest_marker("query_budget")
    if marker is None:
        return Limits()
    try:
        (queries,) = marker.args
        if not isinstance(queries, int):
            raise TypeError(f"{queries!r} is not a number of queries")
        Exemption("query-budget", "the marker query_budget", **marker.kwargs)  # refuses a short reason
    except (TypeError, ValueError) as error:
        pytest.fail(f"write @pytest.mark.query_budget(5, reason='why this request needs more'): {error}", False)
    return Limits(queries=queries)
