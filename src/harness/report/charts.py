"""Charts of the report's page, as inline SVG. Each has a text for screen readers, and a table next to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 360
"""Width of a chart in units: the pixels of a phone, where its letters then keep their size."""

PLOT = 320
"""Width of the bars; the rest is for the figures after them."""

LONGEST_LABEL = 50
"""Characters of a label that fit into the width."""

HATCHES = (
    '<defs><pattern id="writes" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="writes" width="6" height="6" opacity=".25"/><rect class="writes" width="3" height="6"/></pattern>'
    '<pattern id="all" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="all" width="6" height="6"/>'
    '<path class="weave" d="M0 0L6 6M6 0L0 6"/></pattern></defs>'
)
"""Stripes and crosses show what a lock blocks, not colour alone."""

BLOCKS = {
    "SHARE": "writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "EXCLUSIVE": "writes",
    "ACCESS EXCLUSIVE": "all",
}
"""What a lock on a table blocks (https://www.postgresql.org/docs/current/explicit-locking.html)."""

EFFECTS = {"nothing": "blocks neither reads nor writes", "writes": "blocks writes", "all": "blocks reads and writes"}


@dataclass(frozen=True, slots=True)
class RouteTimes:
    """A route and its median times in milliseconds, without latency and with that of the objective."""

    name: str
    near: float
    far: float


@dataclass(frozen=True, slots=True)
class RevisionTime:
    """A revision, its strongest lock as SQL writes it ("" for none), its milliseconds and what it did."""

    name: str
    lock: str
    milliseconds: float
    done: str

    @property
    def blocks(self) -> str:
        """`nothing`, `writes` or `all`: what its lock blocks."""
        return BLOCKS.get(self.lock, "nothing")


def latency(routes: Sequence[RouteTimes], objective: float) -> str:
    """Return two bars for each route, and a line at the objective in milliseconds."""
    scale = PLOT / max([objective * 1.05, *(time for route in routes for time in (route.near, route.far))])
    height = 20 + 44 * len(routes)
    line = objective * scale
    label = f'<text class="note" x="{line - 4:.1f}" y="11" text-anchor="end">objective {objective:.0f} ms</text>'
    parts = [
        f'{label}<line class="objective" x1="{line:.1f}" x2="{line:.1f}" y1="0" y2="{height}"/>',
        *(_route(route, 20 + 44 * number, scale, objective) for number, route in enumerate(routes)),
    ]
    return _svg("Time of each route and the objective", height, parts)


def _route(route: RouteTimes, top: int, scale: float, objective: float) -> str:
    late = route.far >= objective
    name = escape(shorten(route.name)) + (' <tspan class="name">too late</tspan>' if late else "")
    bars = [("near", route.near, top + 16), ("late" if late else "far", route.far, top + 28)]
    drawn = "".join(
        f'<rect class="{kind}" x="0.5" y="{y}" width="{max(time * scale, 1):.1f}" height="9"/>'
        f'<text class="figure" x="{max(time * scale, 1) + 5:.1f}" y="{y + 8}">{time:.1f}</text>'
        for kind, time, y in bars
    )
    return f'<text x="0" y="{top + 11}">{name}</text>{drawn}'


def timeline(revisions: Sequence[RevisionTime]) -> str:
    """Return the revisions in sequence, each with what its strongest lock blocks."""
    scale = WIDTH / max(sum(item.milliseconds for item in revisions), 1)
    begun, parts = 0.0, [HATCHES]
    for number, item in enumerate(revisions):
        parts.append(_revision(item, 48 * number, begun * scale, item.milliseconds * scale))
        begun += item.milliseconds
    return _svg("Revisions in sequence, with what their locks block", 48 * len(revisions), parts)


def _revision(item: RevisionTime, top: int, start: float, width: float) -> str:
    held = f"{item.lock}: {EFFECTS[item.blocks]}" if item.lock else "no lock on an existing table"
    return (
        f'<text x="0" y="{top + 11}"><tspan class="name">{escape(shorten(item.name, 20))}</tspan> {escape(held)}</text>'
        f'<rect class="lane" x="0" y="{top + 16}" width="{WIDTH}" height="10"/>'
        f'<rect class="bar {item.blocks}" x="{start:.1f}" y="{top + 16}" width="{max(width, 2):.1f}" height="10"/>'
        f'<text class="note" x="0" y="{top + 38}">{escape(item.done)}</text>'
    )


def _svg(title: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}; the table has the figures">'
        f"{''.join(parts)}</svg>"
    )


def shorten(text: str, longest: int = LONGEST_LABEL) -> str:
    """Return a text of at most `longest` characters, with its middle replaced by … if it is longer."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
