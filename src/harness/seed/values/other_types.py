"""Generators for the types that are neither numbers, times nor texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from harness.seed.values.believable import FIRST, slug, uuid
from harness.seed.values.column_types import ColumnType
from harness.seed.values.generators import ENDLESS, Generator, constant, in_base, one_of


def _ordered(index: int) -> str:
    time = _hex(index, 12)
    return f"{time[:8]}-{time[8:]}-7000-8000-{time}"


def _hex(index: int, digits: int) -> str:
    return f"{(index + 1) % 16**digits:0{digits}x}"


def _colons(index: int, count: int) -> str:
    text = _hex(index, (count - 1) * 2)
    return ":".join(["02", *(text[at : at + 2] for at in range(0, len(text), 2))])


ENTITIES: dict[str, list[Generator]] = {
    "bool": [one_of("false, true", ("false", "true")), constant("true"), constant("false")],
    "bytea": [
        Generator("bytes", lambda i: f"\\x{_hex(i, 16)}"),
        Generator("32 bytes", lambda i: f"\\x{i + 1:064x}"),
        Generator("16 bytes", lambda i: f"\\x{i + 1:032x}"),
        Generator("20 bytes", lambda i: f"\\x{i + 1:040x}"),
        constant("\\x"),
    ],
    "uuid": [Generator("version 4", uuid), Generator("version 7", _ordered)],
    "json": [
        Generator("objects", lambda i: f'{{"number": {i + 1}, "label": "{slug(i)}"}}'),
        Generator("arrays", lambda i: f"[{i + 1}]"),
        Generator("texts", lambda i: f'"{slug(i)}"'),
        Generator("numbers", lambda i: str(i + 1)),
        constant("{}"),
        constant("[]"),
        constant("null"),
    ],
    "xml": [Generator("elements", lambda i: f'<item number="{i + 1}"/>')],
    "inet": [
        Generator("hosts", lambda i: f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", 1 << 24),
        Generator("IPv6 hosts", lambda i: f"2001:db8::{i >> 16 & 65535:x}:{i & 65535:x}", 1 << 32),
    ],
    "cidr": [
        Generator("networks", lambda i: f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}/32", 1 << 24),
        Generator("IPv6 networks", lambda i: f"2001:db8:{i >> 16 & 65535:x}:{i & 65535:x}::/64", 1 << 32),
    ],
    "macaddr": [Generator("cards", lambda i: _colons(i, 6), 1 << 40)],
    "macaddr8": [Generator("cards", lambda i: _colons(i, 8), 1 << 56)],
    "point": [Generator("points", lambda i: f"({10 * i},{i % 7})")],
    "line": [Generator("lines", lambda i: f"{{1,-1,{i + 1}}}")],
    "lseg": [Generator("segments", lambda i: f"[({10 * i},0),({10 * i + 1},1)]")],
    "box": [Generator("boxes", lambda i: f"({10 * i + 1},1),({10 * i},0)")],
    "path": [Generator("paths", lambda i: f"[({10 * i},0),({10 * i + 1},1),({10 * i + 2},0)]")],
    "polygon": [Generator("triangles", lambda i: f"(({10 * i},0),({10 * i + 1},1),({10 * i + 2},0))")],
    "circle": [Generator("circles", lambda i: f"<({10 * i},0),1>")],
    "tsvector": [Generator("words", lambda i: f"'number{i + 1}' 'word'")],
    "tsquery": [Generator("words", lambda i: f"'number{i + 1}'")],
    "pg_lsn": [Generator("positions", lambda i: f"{i >> 32:X}/{i & 0xFFFFFFFF:X}")],
    "tid": [Generator("places", lambda i: f"({i // 200},{i % 200 + 1})", 1 << 38)],
    "txid_snapshot": [Generator("snapshots", lambda i: f"{i + 1}:{i + 1}:")],
    "pg_snapshot": [Generator("snapshots", lambda i: f"{i + 1}:{i + 1}:")],
    "jsonpath": [Generator("paths", lambda i: f'$."key{i + 1}"')],
    "hstore": [Generator("pairs", lambda i: f'"number"=>"{i + 1}"'), constant("")],
    "ltree": [Generator("labels", lambda i: f"top.number{i + 1}")],
    "lquery": [Generator("labels", lambda i: f"top.number{i + 1}.*")],
    "cube": [Generator("cubes", lambda i: f"({10 * i}),({10 * i + 1})")],
    "seg": [Generator("segments", lambda i: f"{10 * i} .. {10 * i + 1}")],
    "regclass": [one_of("catalogues", ("pg_class", "pg_type", "pg_proc", "pg_index", "pg_attribute", "pg_constraint"))],
    "regtype": [one_of("types", ("text", "int4", "int8", "bool", "uuid", "date", "numeric"))],
    "regproc": [one_of("functions", ("now", "pi", "version", "current_database"))],
    "regprocedure": [one_of("functions", ("now()", "pi()", "version()", "lower(text)"))],
    "regrole": [one_of("roles", ("pg_monitor", "pg_read_all_data", "pg_write_all_data"))],
    "regnamespace": [one_of("schemas", ("pg_catalog", "information_schema"))],
    "regcollation": [constant('"C"'), constant('"POSIX"')],
    "regconfig": [one_of("configurations", ("simple", "english", "german", "french"))],
    "regdictionary": [one_of("dictionaries", ("simple", "english_stem"))],
    "regoper": [constant("||/")],
    "regoperator": [one_of("operators", ("+(integer,integer)", "-(integer,integer)"))],
    "geometry": [
        Generator("points", lambda i: f"SRID=4326;POINT({i % 180} {i % 90})"),
        Generator("flat points", lambda i: f"POINT({i} {i % 90})"),
    ],
    "geography": [Generator("points", lambda i: f"SRID=4326;POINT({i % 180} {i % 90})")],
}
ENTITIES["jsonb"] = ENTITIES["json"]

GUESSES = ("1", "a", "{}", "[]", "()", "(1)", "0/0", "[1,2)", "1.0", FIRST[0])
"""Texts that the server is asked to read for types that are not known here."""


def bits(kind: ColumnType) -> Iterator[Generator]:
    """Yield bit strings; `bit` without a size has one bit."""
    width = kind.sizes[0] if kind.sizes else 1 if kind.base == "bit" else 32
    yield Generator("counting up", lambda index: in_base(index, "01", width), min(1 << min(width, 60), ENDLESS))


def vectors(kind: ColumnType) -> Iterator[Generator]:
    """Yield vectors of as many numbers as the size says."""
    rest = ",0" * ((kind.sizes[0] if kind.sizes else 3) - 1)
    yield Generator("vectors", lambda index: f"[{index + 1}{rest}]")


def objects(names: Sequence[str]) -> Iterator[Generator]:
    """Yield JSON objects with the names that a condition mentions, their values of one type."""
    shapes: dict[str, Callable[[str, int], object]] = {
        "texts": lambda name, index: f"{name} {index + 1}",
        "numbers": lambda _, index: index + 1,
        "arrays": lambda name, index: [f"{name} {index + 1}"],
        "objects": lambda name, index: {name: index + 1},
        "truths": lambda _, index: index % 2 == 0,
    }
    for kind, value in shapes.items():
        yield Generator(
            f"objects of {kind}",
            lambda index, value=value: json.dumps({name: value(name, index) for name in names}),  # type: ignore[misc]  # mypy cannot type a default in a lambda
            2 if kind == "truths" else ENDLESS,
        )


def scalars(kind: ColumnType) -> Iterator[Generator]:
    """Yield generators of the types above, and guesses for others."""
    if kind.base in ("bit", "varbit"):
        yield from bits(kind)
    elif kind.base in ("vector", "halfvec"):
        yield from vectors(kind)
    else:
        yield from ENTITIES.get(kind.base, [constant(guess) for guess in GUESSES])
