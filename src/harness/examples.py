"""The examples of the rules, as data in the folders `examples`: what breaks a rule, and what only looks like it.

TOML holds lists `[[RULE.violating]]` and `[[RULE.clean]]` of tables with the code, as `code` or as `upgrade`. SQL holds
`-- breaks RULE: name` or `-- keeps RULE: name`, then `-- field: value` lines and the code. The tests run every example.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

SQL_HEAD = re.compile(r"^-- (breaks|keeps) ([a-z0-9-]+): (.+)$")
SQL_FIELD = re.compile(r"^-- ([a-z]+): (.+)$")
CODE = ("code", "upgrade")


@dataclass(slots=True)
class Example:
    """What breaks a rule, or keeps it; `fields` are the other texts of the data, by their names."""

    rule: str
    breaks: bool
    name: str
    code: str = ""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return what a test's report calls it."""
        return f"{'breaks' if self.breaks else 'keeps'} {self.rule}: {self.name}".translate({91: "(", 93: ")"})


@cache
def read_examples() -> tuple[Example, ...]:
    """Return all examples, by file."""
    found: list[Example] = []
    for path in sorted(Path(__file__).parent.rglob("examples/*")):
        text = path.read_text(encoding="utf-8")
        found += _sql(text) if path.suffix == ".sql" else _toml(text)
    return tuple(found)


def examples_of(*rules: str, breaks: bool | None = None) -> list[Example]:
    """Return the examples of these rules, of one kind or of both."""
    return [item for item in read_examples() if item.rule in rules and breaks in (None, item.breaks)]


def _sql(text: str) -> list[Example]:
    found: list[Example] = []
    for line in text.splitlines():
        if head := SQL_HEAD.match(line):
            found.append(Example(head[2], head[1] == "breaks", head[3]))
        elif written := SQL_FIELD.match(line):
            found[-1].fields[written[1]] = written[2]
        else:
            found[-1].code += f"{line}\n"
    return found


def _toml(text: str) -> Iterator[Example]:
    for rule, kinds in tomllib.loads(text).items():
        for kind, tables in kinds.items():
            for number, table in enumerate(tables, start=1):
                code = next(table.pop(name) for name in CODE if name in table)
                yield Example(rule, kind == "violating", table.pop("name", str(number)), code, table)
