"""Believable texts, made from a column's name, small tables of words and the row's number; all are distinct.

Without a dependency: a library of fake data draws at random and keeps a set to stay distinct, at tens of microseconds
per value; these take less than one, and do not change with a release.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

from harness.seed.values.generators import LETTERS, Generator, in_base, one_of, scrambled

FIRST = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "Ken", "Radia", "Tony", "Karen", "Niklaus")
LAST = ("Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Thompson", "Perlman", "Hoare", "Jones")
VERBS = ("Call", "Pay", "Book", "Write to", "Repair", "Order", "Visit", "Thank", "Ask", "Remind", "Measure", "Paint")
THINGS = ("the plumber", "the bakery", "the garden", "the library", "a friend", "the bicycle", "the school", "the roof")
NOUNS = ("harbour", "meadow", "lantern", "orchard", "copper", "river", "maple", "summit", "cedar", "ember", "quartz")
CITIES = ("Bern", "Oslo", "Lima", "Kyoto", "Nairobi", "Lisbon", "Quito", "Galway", "Turin", "Austin", "Perth", "Hanoi")
COUNTRIES = ("Chile", "Norway", "Kenya", "Japan", "Peru", "Canada", "Ghana", "Italy", "Nepal", "Ireland", "Vietnam")
CODES = ("CH", "NO", "KE", "JP", "PE", "CA", "GH", "IT", "NP", "IE", "VN", "CL", "PT", "EC", "AU", "US", "DE", "FR")
CURRENCIES = ("EUR", "USD", "GBP", "JPY", "CHF", "NOK", "KES", "CAD", "AUD", "PEN")
LANGUAGES = ("en", "de", "fr", "es", "it", "ja", "pt", "nb", "sw", "nl")
ZONES = ("UTC", "Europe/Zurich", "Africa/Nairobi", "Asia/Tokyo", "America/Lima", "Australia/Perth", "Europe/Oslo")
PEOPLE = re.compile(r"user|person|people|customer|author|employee|member|contact|owner|patient|student|guest|account")


def _in_turn(words: tuple[str, ...], index: int) -> str:
    return words[index % len(words)]


def person(index: int) -> str:
    """Return a full name."""
    return f"{_in_turn(FIRST, index)} {_in_turn(LAST, index)} {index + 1}"


def email(index: int) -> str:
    """Return an address in a reserved domain (RFC 2606)."""
    return f"{_in_turn(FIRST, index)}.{_in_turn(LAST, index)}.{index + 1}@example.com".lower()


def errand(index: int) -> str:
    """Return the title of a task."""
    return f"{_in_turn(VERBS, index)} {_in_turn(THINGS, index)} {index + 1}"


def sentence(index: int) -> str:
    """Return a short text."""
    return f"{errand(index)}: before {_in_turn(NOUNS, index)} and {_in_turn(NOUNS, index + 5)}."


def numbered(noun: str) -> Callable[[int], str]:
    """Return a function that gives the noun and a number."""
    return lambda index: f"{noun} {index + 1}"


def slug(index: int) -> str:
    """Return words for a URL."""
    return f"{_in_turn(NOUNS, index)}-{_in_turn(NOUNS, index // 11 + 3)}-{index + 1}"


def digest(index: int) -> str:
    """Return a text that looks like a SHA-256."""
    return "".join(f"{scrambled(index * 4 + part):016x}" for part in range(4))


def uuid(index: int) -> str:
    """Return a UUID of version 4."""
    return str(UUID(int=scrambled(index) << 64 | scrambled(~index & 0xFFFFFFFF), version=4))


NAMES: tuple[tuple[str, Callable[[int], str]], ...] = (
    (r"e_?mail|(^|_)mail$", email),
    (r"(^|_)(user_?name|login|handle|nick(name)?)$", lambda i: f"{_in_turn(FIRST, i)}{i + 1}".lower()),
    (r"(^|_)(first|given)_?name$", lambda i: f"{_in_turn(FIRST, i)} {i + 1}"),
    (r"(^|_)((last|family)_?name|surname)$", lambda i: f"{_in_turn(LAST, i)} {i + 1}"),
    (r"(full|display|contact|owner|author|customer)_?name$|^(author|recipient|sender)$", person),
    (r"(^|_)(title|subject|headline|summary|task)$", errand),
    (r"descr|(^|_)(body|content|text|notes?|comments?|message|bio|remarks?|reason|details?)$", sentence),
    (
        r"(^|_)(ur[li]|link|website|home_?page|href|avatar|image|photo)(_url)?$",
        lambda i: f"https://example.com/{slug(i)}",
    ),
    (r"phone|mobile|(^|_)(fax|tel)$", lambda i: f"+1{2_025_550_000 + i}"),
    (r"(^|_)(city|town)$", lambda i: f"{_in_turn(CITIES, i)} {i + 1}"),
    (r"(^|_)country(_name)?$", lambda i: f"{_in_turn(COUNTRIES, i)} {i + 1}"),
    (r"(street|address(_line_?\d)?)$", lambda i: f"{i + 1} {_in_turn(NOUNS, i).title()} Street"),
    (r"(^|_)(zip|post(al)?)(_?code)?$", lambda i: str(10_000 + i)),
    (r"(^|_)slug$", slug),
    (r"(^|_)(company|organi[sz]ation|vendor|supplier)(_name)?$", lambda i: f"{_in_turn(NOUNS, i).title()} {i + 1} Ltd"),
    (r"colou?r$", lambda i: f"#{i * 0x10F2C7 % 0x1000000:06x}"),
    (r"(^|_)ip(_address)?$", lambda i: f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"),
    (r"user_?agent$", lambda i: f"Mozilla/5.0 (X11; Linux) Example/{i + 1}"),
    (r"(file_?name|(^|_)(file|path))$", lambda i: f"{slug(i)}.txt"),
    (r"(hash|digest|token|secret|(^|_)(key|fingerprint|checksum|etag))$", digest),
    (r"password", lambda i: f"$2b$12${digest(i)[:53]}"),
    (r"(^|_)version$", lambda i: f"1.{i // 100}.{i % 100}"),
    (
        r"(^|_)(sku|code|reference|ref|number|no)$",
        lambda i: f"{in_base(scrambled(i) % 17576, LETTERS, 3).upper()}-{i + 1:05d}",
    ),
)

TURNS: tuple[tuple[str, Generator], ...] = (
    (r"country|nation", one_of("country codes", CODES)),
    (r"currency", one_of("currencies", CURRENCIES)),
    (r"lang|locale", one_of("languages", LANGUAGES)),
    (r"(time_?zone|^tz)$", one_of("time zones", ZONES)),
)
"""Names with few values, which cannot be distinct."""


def believable(table: str, column: str) -> list[Generator]:
    """Return generators that the column's name suggests, the best first; none for an unknown name."""
    column = column.lower()
    found = [Generator(f"by the name {column}", make) for pattern, make in NAMES if re.search(pattern, column)]
    found += [generator for pattern, generator in TURNS if re.search(pattern, column)]
    if not found and re.search(r"(^|_)(name|label)$", column):
        single = table.lower().rstrip("s").replace("_", " ")
        found = [Generator("names", person if PEOPLE.search(table.lower()) else numbered(single))]
    return found
