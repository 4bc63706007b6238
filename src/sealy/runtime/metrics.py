"""Histograms of requests for Prometheus, and the address /metrics that shows them to those inside."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tempfile
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from sealy.runtime.observe import Observed

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
"""Upper bounds of times; 0.2 is the objective of every route."""

QUERIES = (0, 1, 2, 3, 5, 10, 20, 50, 100)
"""Upper bounds of statements; 3 is the budget of a request."""

PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "cf-ray", "x-edge-key")
"""Headers that a request has when it came through a proxy, which no client can take away again."""


class Metrics:
    """The histograms of one app. Of several workers of one uvicorn each shows the sums of all.

    Labels are bounded: routes are templates, and unknown paths and methods are one word each.
    """

    def __init__(self) -> None:
        directory = _shared_directory()
        import prometheus_client as prometheus  # noqa: PLC0415  # it looks for the directory when it is imported

        kept = self._shown = prometheus.CollectorRegistry()
        if directory is not None:
            from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415  # only for workers

            self._shown = prometheus.CollectorRegistry()
            MultiProcessCollector(self._shown, str(directory))  # type: ignore[no-untyped-call]  # it has no types
        self._generate = prometheus.generate_latest
        self.content_type = prometheus.CONTENT_TYPE_LATEST
        route, answer = ("method", "route"), ("method", "route", "status")
        self._seconds = prometheus.Histogram(
            "http_request_duration_seconds", "Time to answer", answer, registry=kept, buckets=SECONDS
        )
        self._queries = prometheus.Histogram(
            "http_request_db_queries", "Statements sent to the database", route, registry=kept, buckets=QUERIES
        )
        self._query_seconds = prometheus.Histogram(
            "http_request_db_seconds", "Time spent in these statements", route, registry=kept, buckets=SECONDS
        )

    def note(self, request: Observed) -> None:
        """Count a request that has been answered."""
        method, route = request.method, request.route
        self._seconds.labels(method, route, str(request.status)).observe(request.seconds)
        self._queries.labels(method, route).observe(request.queries)
        self._query_seconds.labels(method, route).observe(request.query_seconds)

    def show(self) -> bytes:
        """The text that Prometheus reads."""
        return self._generate(self._shown)


def _shared_directory() -> Path | None:
    """Where the workers of one uvicorn keep their numbers together; None for a process that has no siblings.

    The secret that their common parent gives to its children names it, so that nobody else can make it first.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        if multiprocessing.parent_process() is None:
            return None
        name = hashlib.sha256(b"metrics" + multiprocessing.current_process().authkey).hexdigest()[:32]
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path(tempfile.gettempdir(), f"metrics-{name}"))
    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def router(metrics: Metrics) -> APIRouter:
    """The address /metrics."""
    routes = APIRouter(tags=["probes"], include_in_schema=False)

    @routes.get("/metrics")
    def show(request: Request) -> Response:
        """For a scraper on the same network or machine; through a proxy there is no such address."""
        if any(name in request.headers for name in PROXIES):
            raise HTTPException(404)
        return Response(metrics.show(), media_type=metrics.content_type)

    return routes
