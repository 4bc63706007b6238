"""Generators of dates, times, timestamps and intervals, counted from fixed days, so that every run gives the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from harness.seed.values.column_types import ColumnType
from harness.seed.values.generators import Generator, one_of
from harness.seed.values.hints import Hints

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
"""Past times are before it."""

DUE = datetime(2026, 12, 1, tzinfo=UTC)
"""Future times are around it."""

STARTS = re.compile(r"(^|_)(starts?|from|begins?|opens?|opened|valid_from|check_?in|since)(_|$)")
ENDS = re.compile(r"(^|_)(ends?|until|till|to|finish(es|ed)?|closes?|closed|check_?out)(_|$)")
DUES = re.compile(r"(^|_)(due|deadline|expir\w*|next|schedul\w*|remind\w*|planned)(_|$)")
BIRTHS = re.compile(r"birth|(^|_)(dob|born)(_|$)")

TIMES = {"date", "timestamp", "timestamptz", "time", "timetz"}
"""The types of moments, days and times of day."""

YEARS = 400_000
"""Days between the anchor and the last day."""


def _moment(text: str) -> datetime | None:
    """Return a constant of a condition as a time in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@lru_cache(maxsize=1024)
def _day(ordinal: int) -> str:
    return date.fromordinal(ordinal).isoformat()


@lru_cache
def _clock(zone: str) -> list[str]:
    """Return the minutes of a day."""
    return [f" {minute // 60:02d}:{minute % 60:02d}:00{zone}" for minute in range(1440)]


def _minutes(name: str, day: datetime, first: int, step: int, zone: str) -> Generator:
    """Return minutes from a day's midnight on, joined from texts, which is ten times as fast as arithmetic."""
    ordinal = day.toordinal()
    clock = _clock(zone)

    def make(index: int) -> str:
        days, minute = divmod(first + step * index, 1440)
        return _day(ordinal + days) + clock[minute]

    return Generator(name, make, (date.max.toordinal() - ordinal if step > 0 else ordinal - 1) * 1440 // abs(step) - 1)


def moments(kind: ColumnType, column: str, hints: Hints) -> Iterator[Generator]:
    """Yield generators of timestamps: by the column's name first, then past, slots, future, and around constants."""
    zone = "+00" if kind.base == "timestamptz" else ""
    step = timedelta(seconds=1)

    def line(name: str, start: datetime, each: timedelta, capacity: int) -> Generator:
        return Generator(
            name, lambda index: (start + each * index).replace(tzinfo=None).isoformat(" ") + zone, capacity
        )

    day = timedelta(days=1)
    past = _minutes("past minutes", ANCHOR, -1, -1, zone)
    start = _minutes("starts of hours", ANCHOR, 0, 60, zone)
    end = _minutes("ends of half hours", ANCHOR, 30, 60, zone)
    due = _minutes("minutes to come", DUE, 0, 1, zone)
    birth = line("days from 1950", datetime(1950, 1, 1, 12, tzinfo=UTC), day, 27_000)
    yield from _calendar(column, past, (start, end, due, birth), _around(hints, step, line))
    yield line("far to come", datetime(2150, 1, 1, tzinfo=UTC), step, 10**9)
    yield line("midnights", ANCHOR, day, YEARS)


def _calendar(
    column: str, past: Generator, others: Sequence[Generator], around: Iterable[Generator]
) -> Iterator[Generator]:
    """Yield the generators of times in their order; `others` are of starts, ends, times to come and births."""
    yield from _named(column, dict(zip((STARTS, ENDS, DUES, BIRTHS), others, strict=True)))
    yield past
    yield from around
    yield from others


def _named(column: str, generators: dict[re.Pattern[str], Generator]) -> Iterator[Generator]:
    """Return the generators whose pattern matches the column's name."""
    return (generator for pattern, generator in generators.items() if pattern.search(column.lower()))


def _around(
    hints: Hints, step: timedelta, line: Callable[[str, datetime, timedelta, int], Generator]
) -> Iterator[Generator]:
    """Yield times between, at, after and before the constants of a condition, in steps."""
    known = sorted({moment for text in hints.strings if (moment := _moment(text))})
    for low, high in pairwise(known):
        if (count := (high - low) // step) > 0:
            yield line(f"from {low:%Y-%m-%d} to {high:%Y-%m-%d}", low, step, count)
    for moment in known:
        room = min(10**9, (datetime(9000, 1, 1, tzinfo=UTC) - moment) // step)
        if room > 0:
            yield line(f"from {moment:%Y-%m-%d} on", moment, step, room)
        yield line(f"before {moment:%Y-%m-%d}", moment - step, -step, 10**6)
        yield line(f"{moment:%Y-%m-%d}", moment, step, 1)


def dates(column: str, hints: Hints) -> Iterator[Generator]:
    """Yield generators of dates."""
    day = timedelta(days=1)

    def line(name: str, start: datetime, each: timedelta, capacity: int) -> Generator:
        first, step = start.toordinal(), each.days
        return Generator(name, lambda index: date.fromordinal(first + step * index).isoformat(), capacity)

    past = line("past days", ANCHOR - day, -day, 36_500)
    start = line("even days", ANCHOR, 2 * day, YEARS)
    end = line("days after even days", ANCHOR + day, 2 * day, YEARS)
    due = line("days to come", DUE, day, YEARS)
    birth = line("days from 1950", datetime(1950, 1, 1, tzinfo=UTC), day, 27_000)
    yield from _calendar(column, past, (start, end, due, birth), _around(hints, day, line))
    yield line("every day", datetime(1, 1, 1, tzinfo=UTC), day, date.max.toordinal())
    yield line("firsts of year", datetime(2026, 1, 1, tzinfo=UTC), day, 1)


def clocks(kind: ColumnType, column: str, hints: Hints) -> Iterator[Generator]:
    """Yield generators of times of day."""
    zone = "+00" if kind.base == "timetz" else ""

    def clock(tick: int) -> str:
        seconds, micro = divmod(tick, 1_000_000)
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{micro:06d}{zone}"

    whole = 86_400_000_000
    stride = 60_000_000
    morning = Generator("minutes of the day", lambda index: clock((index * stride + index // 1440) % whole), whole)
    office = Generator("from nine on", lambda index: clock(32_400_000_000 + index * 1000), 20_000_000)
    evening = Generator("from five on", lambda index: clock(61_200_000_000 + index * 1000), 20_000_000)
    yield from _named(column, {STARTS: office, ENDS: evening})
    yield from (morning, office, evening)
    texts = [text for text in hints.strings if re.match(r"\d\d:\d\d", text)]
    if texts:
        yield one_of("constants of the condition", texts)


def spans(hints: Hints) -> Iterator[Generator]:
    """Yield generators of intervals."""
    yield Generator("minutes", lambda index: f"{index + 1} minutes")
    texts = [text for text in hints.strings if re.search(r"\d", text)]
    if texts:
        yield one_of("constants of the condition", texts)
    yield Generator("seconds", lambda index: f"{index + 1} seconds")
    yield Generator("microseconds", lambda index: f"{index + 1} microseconds")
    yield Generator("days", lambda index: f"{index + 1} days", 10**7)
