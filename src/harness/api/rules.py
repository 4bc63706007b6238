"""The rules of the API suite."""

from __future__ import annotations

from harness.findings import Rule

OBJECTIVE = 0.2
"""Seconds in which a request must be answered."""

ROUND_TRIP = 0.01
"""Seconds added to every round trip: an app and a managed database in two zones of one region, with some to spare."""

QUERY_BUDGET = Rule(
    "query-budget",
    "error",
    "A request asks the database a few times only",
    "every round trip adds the network's latency to the answer, and holds a connection that others wait for",
    "fetch in one statement what belongs together, or raise this test's budget: "
    '@pytest.mark.query_budget(5, reason="…")',
)
QUERY_LOOP = Rule(
    "query-loop",
    "error",
    "No statement is repeated within a request",
    "a query in a loop is fast with the ten rows of a test and takes seconds with the thousand of production",
    "ask once for all rows",
)
BUDGET_STALE = Rule(
    "budget-stale",
    "error",
    "A raised budget is needed",
    "a budget above what the requests need lets the next query, or the next loop, pass unseen",
    "lower the number, or take the marker query_budget away",
)
PING_BEFORE_USE = Rule(
    "ping-before-use",
    "error",
    "No request asks first whether its connection lives",
    "the ping costs every request a round trip, and proves nothing: the connection can be lost right after it",
    "pool_pre_ping=False, or the pool's check left out: a lost connection costs one 503 that may be repeated, "
    "and the pool opens new ones",
)
CONNECTION_PER_REQUEST = Rule(
    "connection-per-request",
    "error",
    "Requests use connections that are open already",
    "opening a connection costs a process of the server and several round trips, and a burst exhausts max_connections",
    "make one engine with one pool for the process, warm it before /ready answers 200, and take connections from it",
)
COUNT_IN_LIST = Rule(
    "count-in-list",
    "error",
    "No list counts all its rows",
    "count(*) reads every row that matches, so that the first page gets slower with every row added",
    "page by a cursor; ask for one row more than the page to learn whether there is a next one",
)
WORK_AFTER_ANSWER = Rule(
    "work-after-answer",
    "error",
    "The transaction ends before the answer begins",
    "a client that reads 200 believes its data are kept; a COMMIT that fails after that loses them without a word, "
    "and the connection is held while a slow client reads",
    "commit inside the handler, and close the session before it returns: a dependency with yield runs its end after "
    "the answer is sent",
)
IDLE_IN_TRANSACTION = Rule(
    "idle-in-transaction",
    "error",
    "A transaction only waits for the database",
    "locks and a connection are held while the app does something else, and others queue behind them",
    "do what takes time (calls to other services, files, sleeping) before BEGIN or after COMMIT",
)
TRANSACTION_LEFT_OPEN = Rule(
    "transaction-left-open",
    "error",
    "A request ends every transaction that it begins",
    "a transaction left open holds its locks, stops VACUUM, and takes a connection out of the pool for good",
    "use the session or connection in a with block",
)
QUERY_GROWTH = Rule(
    "query-growth",
    "error",
    "A list asks as often for a hundred rows as for one",
    "each row of the answer costs a round trip of its own (N+1): the time grows with the data, not with the code",
    "load what each row needs in the same statement (a join, json_agg) or in one more (selectinload)",
)
UNBOUNDED_LIST = Rule(
    "unbounded-list",
    "error",
    "A list ends, however many rows there are",
    "without a limit one request reads and sends the whole table, and memory runs out in production only",
    "page the list: a limit with a default and a maximum, and a cursor for the next page",
)
LATENCY_OBJECTIVE = Rule(
    "latency-objective",
    "error",
    f"Every route answers within {OBJECTIVE * 1000:.0f} ms at {ROUND_TRIP * 1000:.0f} ms a round trip",
    "on a laptop a round trip takes 0.1 ms, which hides how many there are; between zones a hundred times as long",
    "ask the database less often: the table of routes shows how many round trips each takes",
)
ROUTE_COST = Rule(
    "route-cost",
    "error",
    "A route asks the database no more often than the project allows its kind",
    "a statement more in every request is a round trip more for every client, and a longer hold on a connection",
    "read in one statement what belongs together (a join, json_agg); write with RETURNING instead of reading after it",
)
POOL_TOO_SMALL = Rule(
    "pool-too-small",
    "error",
    "Clients at the same time are served at the same time",
    "requests queue for a connection while the database is idle: the wait grows with every client",
    "give the pool the connections that this process may have, and let no async handler block the event loop",
)
RULES = (
    QUERY_BUDGET,
    BUDGET_STALE,
    QUERY_LOOP,
    PING_BEFORE_USE,
    CONNECTION_PER_REQUEST,
    COUNT_IN_LIST,
    WORK_AFTER_ANSWER,
    IDLE_IN_TRANSACTION,
    TRANSACTION_LEFT_OPEN,
    QUERY_GROWTH,
    UNBOUNDED_LIST,
    LATENCY_OBJECTIVE,
    ROUTE_COST,
    POOL_TOO_SMALL,
)
