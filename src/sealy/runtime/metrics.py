"""Histograms of requests for Prometheus, and the route /metrics; docs/operating.md says what several workers need."""

import os

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from sealy.runtime.observe import Observed

PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "cf-ray", "x-edge-key")
"""Headers that a proxy adds, and that a client behind it cannot remove."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)  # 0.2 is the objective of every route
STATEMENTS = (0, 1, 2, 3, 5, 10, 20, 50, 100)  # 3 is the budget of a request
ROUTE = ("method", "route")

duration = Histogram("http_request_duration_seconds", "Time to answer", (*ROUTE, "status"), buckets=SECONDS)
queries = Histogram("http_request_db_queries", "Statements sent to the database", ROUTE, buckets=STATEMENTS)
query_time = Histogram("http_request_db_seconds", "Time spent in these statements", ROUTE, buckets=SECONDS)

router = APIRouter(include_in_schema=False)


def note(request: Observed) -> None:
    """Count a request that has been answered."""
    route = (request.method, request.route)
    duration.labels(*route, str(request.status)).observe(request.seconds)
    queries.labels(*route).observe(request.queries)
    query_time.labels(*route).observe(request.query_seconds)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Answer a scraper on the same network or machine; 404 for a request that came through a proxy."""
    if any(name in request.headers for name in PROXIES):
        raise HTTPException(404)
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry := CollectorRegistry())  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
