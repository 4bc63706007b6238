"""Many clients at once: the connections that they share."""

from __future__ import annotations

from harness.api.rules import CONNECTION_PER_REQUEST, POOL_TOO_SMALL
from harness.findings import Finding
from harness.wire.recording import Recording


def judge(recording: Recording, *, clients: int, route: str = "pool") -> list[Finding]:
    """Judge what `clients` at the same time did after the pool was warm."""
    found = []
    if recording.opened:
        message = f"{len(recording.opened)} connections opened for {clients} clients after the pool was warm"
        found.append(Finding(CONNECTION_PER_REQUEST, route, message))
    if recording.most_busy < min(clients, 2):
        message = f"{clients} clients at once, and never more than {recording.most_busy} connection worked for them"
        found.append(Finding(POOL_TOO_SMALL, route, message))
    return found
