"""Cycles in a directed graph."""

from __future__ import annotations

from collections.abc import Iterable

Edge = tuple[int, int]


def cycles(edges: Iterable[Edge]) -> list[list[Edge]]:
    """Return one shortest cycle, as its edges, of every strongly connected part; linear in the number of edges."""
    nexts: dict[int, list[int]] = {}
    for source, target in edges:
        nexts.setdefault(source, []).append(target)
        nexts.setdefault(target, [])
    return [_walk(nexts, set(part)) for part in _components(nexts) if len(part) > 1 or part[0] in nexts[part[0]]]


def _walk(nexts: dict[int, list[int]], part: set[int]) -> list[Edge]:
    """A shortest way from the first node of a strongly connected part back to it."""
    start = min(part)
    came: dict[int, int] = {}
    queue = [start]
    for node in queue:
        for target in nexts[node]:
            if target == start:
                path = [(node, start)]
                while node != start:
                    path.insert(0, (came[node], node))
                    node = came[node]  # noqa: PLW2901 - the path is walked once, then returned
                return path
            if target in part and target not in came:
                came[target] = node
                queue.append(target)
    return []


def _components(nexts: dict[int, list[int]]) -> list[list[int]]:
    """Strongly connected components, by Kosaraju's two passes without recursion."""
    backs: dict[int, list[int]] = {node: [] for node in nexts}
    for node, targets in nexts.items():
        for target in targets:
            backs[target].append(node)
    order: list[int] = []
    seen: set[int] = set()
    for root, targets in nexts.items():
        stack = [] if root in seen else [(root, iter(targets))]
        seen.add(root)
        while stack:
            node, targets_left = stack[-1]
            step = next((target for target in targets_left if target not in seen), None)
            if step is None:
                order.append(node)
                stack.pop()
            else:
                seen.add(step)
                stack.append((step, iter(nexts[step])))
    parts: list[list[int]] = []
    placed: set[int] = set()
    for root in reversed(order):
        part: list[int] = []
        pending = [root]
        while pending:
            node = pending.pop()
            if node not in placed:
                placed.add(node)
                part.append(node)
                pending += backs[node]
        if part:
            parts.append(part)
    return parts
