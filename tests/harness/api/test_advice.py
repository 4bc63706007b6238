"""A finding's advice depends on what was found."""

from __future__ import annotations

import pytest

from harness.api.exchange import Exchange
from harness.api.rules import judge, judge_pool
from harness.wire.messages import parse, text
from harness.wire.recording import Recording, RoundTrip, WireStatement


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("SELECT a FROM item WHERE id = $1", "selectinload"),
        ("SELECT a FROM item WHERE id = $1", "joinedload(…)) where each row has one parent"),
        ("INSERT INTO item (a) VALUES ($1)", "one INSERT for all rows"),
        ("UPDATE item SET a = $1 WHERE id = $2", "UPDATE … FROM (VALUES …)"),
        ("DELETE FROM item WHERE id = $1", "WHERE key = ANY(:keys)"),
        ("MERGE INTO item USING other ON item.id = other.id WHEN MATCHED THEN DELETE", "one statement for all rows"),
    ],
)
def test_the_fix_of_a_loop_depends_on_what_it_repeats(statement: str, advice: str) -> None:
    """Reads are loaded together, writes are sent together."""
    trips = [
        RoundTrip(1, number, number + 0.001, "query", [WireStatement(statement, "query", number)])
        for number in range(3)
    ]
    (found,) = [each for each in judge(Exchange("PUT /items", Recording(trips))) if each.rule.id == "query-loop"]
    assert advice in found.fix


def test_connections_that_are_opened_for_many_clients_are_counted() -> None:
    """After the pool was warm none is needed; the number of them is in the message."""
    (found,) = judge_pool(Recording(opened=[6, 7], most_busy=5), clients=20)
    assert found.rule.id == "connection-per-request"
    assert "2 connections opened, 0 allowed" in found.message


def test_a_truncated_message_is_read_as_far_as_it_goes() -> None:
    """The server refuses a client that breaks the protocol; the observer only records."""
    assert text(b"SELECT 1") == ("SELECT 1", 9)
    assert parse(b"name\0SELECT $1\0") == ("name", "SELECT $1", ())
    assert parse(b"\0SELECT $1\0\x00\x02\x00\x00\x00\x17") == ("", "SELECT $1", (23,))
