"""The choices of the schema rules, `[tool.harness.schema]`, and which rules they leave to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from harness.catalog import Snapshot
from harness.errors import HarnessError
from harness.findings import Finding
from harness.rules import Check, catalogue, named


@dataclass(frozen=True, slots=True)
class Options:
    """What a project may choose; every default is the catalogue's own.

    `rules` names the optional rules that run. Word lists are matched against the parts of a name between underscores.
    `naming` maps pk, uq, ix, fk and ck to patterns as SQLAlchemy's naming convention writes them.
    """

    rules: tuple[str, ...] = ()
    varchar_allowed: bool = False
    money_words: tuple[str, ...] = ("price", "amount", "total", "balance", "cost", "fee", "salary", "tax")
    login_words: tuple[str, ...] = ("email", "username", "login")
    mandatory_columns: tuple[str, ...] = ()
    timestamps: tuple[str, ...] = ("created_at", "updated_at")
    soft_delete: tuple[str, ...] = ("deleted_at",)
    tenant_column: str = "tenant_id"
    most_indexes: int = 10
    extensions: tuple[str, ...] = ("citext",)
    app_role: str = ""
    naming: Mapping[str, str] = field(default_factory=dict)


def read_options(table: Mapping[str, Any]) -> Options:
    """Return the options as written in TOML, keys with hyphens or underscores.

    Raises:
        HarnessError: for an unknown key, or a value of another kind than the default.
    """
    defaults = {item.name: getattr(Options(), item.name) for item in fields(Options)}
    values: dict[str, Any] = {}
    for written, value in table.items():
        key = written.replace("-", "_")
        if key not in defaults:
            raise HarnessError(
                f"[tool.harness.schema] has an unknown key {written!r}",
                looked_at=f"the known keys: {', '.join(sorted(defaults))}",
                remedy="correct or remove it",
            )
        given = tuple(value) if isinstance(value, list) else value
        if not isinstance(given, Mapping if key == "naming" else type(defaults[key])):
            problem = f"[tool.harness.schema] {written} = {value!r} is not a {_kind(defaults[key])}"
            raise HarnessError(problem, remedy="correct the value")
        values[key] = given
    return Options(**values)


def _kind(value: object) -> str:
    """How TOML calls the kind of a default."""
    return {tuple: "list of strings", bool: "true or false", int: "number", str: "string"}.get(type(value), "table")


def has_word(name: str, words: Iterable[str]) -> bool:
    """Return whether one of `words`, or its plural in s, is between the underscores of `name`."""
    parts = name.lower().split("_")
    return any(word in parts or f"{word}s" in parts for word in words)


def chosen(options: Options, only: Iterable[str] = ()) -> tuple[Check[Snapshot], ...]:
    """Return the rules that run: those named by `only`, else all but the optional ones that `options.rules` omits.

    Raises:
        HarnessError: for a name that no rule over a catalogue has.
    """
    asked, optional = ([named(name, "schema", "catalogue") for name in names] for names in (only, options.rules))
    every = catalogue("schema", "catalogue")
    return tuple(dict.fromkeys(asked)) or tuple(
        check for check in every if not check.rule.optional or check in optional
    )


def findings(snapshot: Snapshot, options: Options, only: Iterable[str] = ()) -> list[Finding]:
    """Return what all chosen rules find."""
    return [finding for check in chosen(options, only) for finding in check(snapshot, options)]
