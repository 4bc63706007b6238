"""The constants of a condition are found, and nothing that only looks like a constant."""

from __future__ import annotations

from decimal import Decimal

import pytest

from harness.seed.values.hints import Hints, read_hints

READ = [
    ("((a)::numeric(10,2) > 3.5)", Hints(numbers=(Decimal("3.5"),))),
    ('("c 7" < 8) AND ("order" <= (9)::smallint)', Hints(numbers=(Decimal(8), Decimal(9)))),
    ("(a = 'it''s 5'::character varying(20))", Hints(strings=("it's 5",))),
    ("(a > '-5'::integer)", Hints(numbers=(Decimal(-5),), strings=("-5",))),
    ("(a = ANY ('{new,\"in use\"}'::text[]))", Hints(strings=('{new,"in use"}', "new", "in use"))),
    ("(a = ANY (ARRAY['x'::text, 'y'::text]))", Hints(strings=("x", "y"))),
    (r"(a ~ '^\d{3}$'::text)", Hints(patterns=(r"^\d{3}$",))),
    (r"(a ~* E'^\\d{3}$'::text)", Hints(patterns=(r"^\d{3}$",))),
    ("(a ~~ 'ORD-%'::text)", Hints(likes=("ORD-%",))),
    ("(a !~~ 'x~~'::text) AND (b !~ 'y'::text)", Hints(strings=("x~~", "y"))),
    ("(a ~ similar_to_escape('[0-9]_%'::text))", Hints(patterns=("^([0-9]..*)$",))),
]


@pytest.mark.parametrize(("expression", "hints"), READ)
def test_constants_are_read_by_what_they_are_compared_with(expression: str, hints: Hints) -> None:
    """Numbers in names, in the sizes of types and within strings are none; patterns are kept apart from strings."""
    assert read_hints([expression]) == hints
