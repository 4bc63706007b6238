"""Words in names: the parts between underscores."""

from __future__ import annotations

from collections.abc import Iterable


def has_word(name: str, words: Iterable[str]) -> bool:
    """Whether one of `words`, or its plural in s, is a part of `name`."""
    parts = name.lower().split("_")
    return any(word in parts or f"{word}s" in parts for word in words)
