"""A psycopg cursor that counts what a request sends, and appends its route to each statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Self

import psycopg

from sealy.runtime.observe import current


class ObservedCursor(psycopg.Cursor[Any]):
    """Counts each statement when it begins, also one that fails; BEGIN, COMMIT and COPY are not seen here."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Send a statement, as psycopg does."""
        with _sending(query) as tagged:
            return super().execute(tagged, params, **options)

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Send a statement for many sets of values, as psycopg does; it counts once."""
        with _sending(query) as tagged:
            super().executemany(tagged, params_seq, **options)


@contextmanager
def _sending(query: Any) -> Iterator[Any]:
    if (request := current.get()) is None:
        yield query
        return
    comment = f" /* {request.method} {request.route} */" if request.observe.settings.tag_statements else ""
    request.queries += 1
    begun = perf_counter()
    try:
        yield query + comment if isinstance(query, str) else query
    finally:
        request.query_seconds += perf_counter() - begun
