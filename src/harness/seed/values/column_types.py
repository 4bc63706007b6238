"""What a column holds, read from the text of its type: domains followed, sizes and arrays taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.catalog import Snapshot, Type

ALIASES = {
    "bigint": "int8",
    "bit varying": "varbit",
    "boolean": "bool",
    "character": "bpchar",
    "character varying": "varchar",
    "double precision": "float8",
    "integer": "int4",
    "real": "float4",
    "smallint": "int2",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
}

_SHAPE = re.compile(r"(?P<head>[^(\[]+?)\s*(\((?P<sizes>[-\d, ]+)\))?(?P<tail>[^(\[]*)(?P<array>(\[\d*\])*)$")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A type without its domains.

    `text` can be cast to without a domain's refusal. `base` is the plain name (`int4`, `citext`) of the element where
    `array` is true. `sizes` are the numbers in brackets. `type` is the project's own enum, composite or range.
    `domains` are those followed, outermost first; with `inner` they stand on the elements of the array.
    """

    text: str
    base: str
    sizes: tuple[int, ...] = ()
    array: bool = False
    type: Type | None = None
    domains: tuple[Type, ...] = ()
    inner: bool = False

    @property
    def element(self) -> ColumnType:
        """The kind of one element of an array."""
        return replace(self, text=re.sub(r"(\[\d*\])+$", "", self.text), array=False)


class ColumnTypes:
    """The types of one snapshot, by the text that `format_type` writes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.types: Mapping[str, Type] = {f"{quoted(item.schema)}.{quoted(item.name)}": item for item in snapshot.types}

    def of(self, text: str) -> ColumnType:
        """The kind behind a type's text, such as `public.email[]` or `numeric(10,2)`."""
        shape = _SHAPE.match(text.partition(" COLLATE ")[0])
        if shape is None:
            return ColumnType(text, text)
        name = shape["head"] + shape["tail"]
        own = self.types.get(name)
        array = bool(shape["array"])
        if own and own.kind == "d":
            held = self.of(own.definition)
            brackets = "" if held.array or not array else "[]"
            return replace(
                held, text=held.text + brackets, array=array or held.array, domains=(own, *held.domains), inner=array
            )
        sizes = tuple(int(size) for size in (shape["sizes"] or "").split(",") if size.strip())
        base = ALIASES.get(name, name)
        if base == "bpchar" and not sizes and "character" in name:
            sizes = (1,)
        return ColumnType(text.partition(" COLLATE ")[0], _plain(base), sizes, array, own or self._range(name))

    def attributes(self, composite: Type) -> list[tuple[str, ColumnType]]:
        """Names and kinds of a composite type's attributes."""
        found = []
        for part in re.split(r", (?=(?:\"(?:[^\"]|\"\")+\"|[a-z_][\w$]*) )", composite.definition):
            name, _, text = part.partition(" ") if not part.startswith('"') else part.rpartition('" ')
            found.append((name.strip('"'), self.of(text)))
        return found

    def _range(self, name: str) -> Type | None:
        """The range behind a multirange of the project's own."""
        own = self.types.get(name.replace("multirange", "range"))
        return own if own and own.kind == "r" else None


def quoted(name: str) -> str:
    """An identifier as the server writes it."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else '"' + name.replace('"', '""') + '"'


def _plain(name: str) -> str:
    """A type's name without schema and quotes."""
    if name.startswith('"') and name.endswith('"'):  # "char"
        return name
    return name.rpartition(".")[2].strip('"')
