"""Generated texts match their regular expression."""

from __future__ import annotations

import re

import pytest

from harness.seed.values.patterns import pattern_generator


@pytest.mark.parametrize(
    "pattern",
    [
        "^[a-z]+$",
        "^[A-Z]{3}-[0-9]{4}$",
        r"^\d{3,5}(\.\d{2})?$",
        "^(red|green|blue)$",
        "^(?:a|bc)+x?y*$",
        r"^[^@\s]+@[^@]+\.[a-z]{2,}$",
        r"^\+[1-9]\d{1,14}$",
        "^#[0-9a-fA-F]{6}$",
        "^[]a-]+$",
        "abc",
        "^$",
    ],
)
def test_texts_match_the_pattern_and_differ(pattern: str) -> None:
    """The first texts match and are distinct up to the capacity."""
    generator = pattern_generator(pattern)
    assert generator is not None
    texts = [generator.make(index) or "" for index in range(min(50, generator.capacity))]
    assert [text for text in texts if not re.search(pattern, text)] == []
    assert len({text.lower() for text in texts}) == len(texts)


@pytest.mark.parametrize("pattern", ["^(?=x)", "^(?!y).*$", r"^(a)\1$", "[[:unknown:]]", "(", "[", "*a", "\\"])
def test_other_patterns_are_not_guessed(pattern: str) -> None:
    """What is beyond the simple forms gives no generator instead of wrong texts."""
    assert pattern_generator(pattern) is None


def test_named_classes_are_known() -> None:
    """POSIX classes, which Python lacks."""
    generator = pattern_generator("^[[:upper:]][[:digit:]]{2}$")
    assert generator is not None
    assert [generator.make(index) for index in (0, 1, 100)] == ["A00", "A01", "B00"]
