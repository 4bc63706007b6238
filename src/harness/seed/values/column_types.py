"""A column's type, read from its text: domains are resolved, sizes and arrays taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.catalog import Snapshot, Type
from harness.sql.lexer import fold, scan

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
    """A type with its domains resolved.

    A cast to `text` checks no domain. `base` is the plain name (`int4`, `citext`), of the element if `array` is true.
    `sizes` are the numbers in parentheses. `type` is the project's enum, composite or range. `domains` are those
    resolved, outermost first; with `inner` they apply to the elements of the array.
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
        """Return the type of one element of an array."""
        return replace(self, text=re.sub(r"(\[\d*\])+$", "", self.text), array=False)


class ColumnTypes:
    """The types of one snapshot, by the text that `format_type` writes."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.types: Mapping[str, Type] = {item.qualified: item for item in snapshot.types}

    def of(self, text: str) -> ColumnType:
        """Return the type of a text such as `public.email[]` or `numeric(10,2)`."""
        text = text.partition(" COLLATE ")[0]
        shape = _SHAPE.match(text)
        if shape is None:
            return ColumnType(text, text)
        name = _folded(shape["head"] + shape["tail"])
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
        return ColumnType(text, base.rpartition(".")[2], sizes, array, own or self._range(name))

    def attributes(self, composite: Type) -> list[tuple[str, ColumnType]]:
        """Return names and types of a composite type's attributes."""
        found = []
        for part in re.split(r", (?=(?:\"(?:[^\"]|\"\")+\"|[a-z_][\w$]*) )", composite.definition):
            name = next(scan(part))
            found.append((fold(name.text), self.of(part[name.end + 1 :])))
        return found

    def _range(self, name: str) -> Type | None:
        """Return the range type of a multirange that the project defines."""
        own = self.types.get(name.replace("multirange", "range"))
        return own if own and own.kind == "r" else None


def _folded(name: str) -> str:
    """Return a qualified name as the catalogue stores it; `double precision` and `"char"` unchanged."""
    tokens = [token.text for token in scan(name)]
    return ".".join(map(fold, tokens[::2])) if "." in tokens else name
