"""The framing of the Postgres protocol, and the message bodies that a recording needs.

Source: the manual's chapter "Frontend/Backend Protocol", sections "Message Formats" and "Message Flow".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

CANCEL = 80877102
TLS = 80877103
GSS = 80877104
LONGEST_STARTUP = 10_000
"""Bytes of a start-up packet that the server accepts (MAX_STARTUP_PACKET_LENGTH)."""

KEPT = 64 * 1024
"""Bytes of a message's body that are kept; a longer body is relayed in full, but only its beginning is read."""

_length = struct.Struct("!I").unpack_from
_short = struct.Struct("!H").unpack_from


def startup_as(packet: bytes, user: str, database: str) -> bytes:
    """Return a start-up packet for another user and database; a packet of another kind as it is."""
    (version,) = _length(packet, 4)
    if version >> 16 != 3:
        return packet
    words = packet[8:-1].split(b"\0")
    parameters = dict(zip(words[::2], words[1::2], strict=False))
    parameters |= {b"user": user.encode(), b"database": database.encode()}
    body = b"".join(name + b"\0" + value + b"\0" for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", 8 + len(body), version) + body


class Splitter:
    """Splits one direction of a connection into messages, in whatever chunks the bytes arrive.

    Kinds in `counted` (rows, copied data) are counted in runs, and their bodies are not kept.
    """

    __slots__ = ("_counted", "_head", "_kept", "_kind", "_missing")

    def __init__(self, counted: bytes) -> None:
        self._counted = frozenset(counted)
        self._head = b""  # up to 4 bytes of a header that the last chunk cut
        self._kind = 0  # of the message whose body is arriving
        self._missing = 0  # bytes of that body still to come
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes, int]]:
        """Yield (kind, body, count) for each message that `chunk` completes; a run of a counted kind is one item."""
        position, end = 0, len(chunk)
        run_kind = run = 0
        while position < end:
            if not self._missing:
                header = chunk[position : position + 5 - len(self._head)]
                position += len(header)
                header = self._head + header
                if len(header) < 5:
                    self._head = header
                    break
                self._head = b""
                self._kind, self._missing = header[0], max(_length(header, 1)[0] - 4, 0)
            taken = min(self._missing, end - position)
            if self._kind not in self._counted and (room := KEPT - len(self._kept)) > 0:
                self._kept += chunk[position : position + min(taken, room)]
            position += taken
            self._missing -= taken
            if self._missing:
                break
            if self._kind in self._counted:
                if run and run_kind != self._kind:
                    yield run_kind, b"", run
                    run = 0
                run_kind, run = self._kind, run + 1
                continue
            if run:
                yield run_kind, b"", run
                run = 0
            body = bytes(self._kept)
            self._kept.clear()
            yield self._kind, body, 1
        if run:
            yield run_kind, b"", run


def text(body: bytes, start: int = 0) -> tuple[str, int]:
    """Return the zero-terminated string at `start`, and the offset after it."""
    end = body.find(b"\0", start)
    if end < 0:
        end = len(body)
    return body[start:end].decode("utf-8", "replace"), end + 1


def parse(body: bytes) -> tuple[str, str, tuple[int, ...]]:
    """Return name, statement and declared parameter types (oids; 0: the server infers it) of a Parse message."""
    name, position = text(body)
    statement, position = text(body, position)
    if position + 2 > len(body):
        return name, statement, ()
    count = min(_short(body, position)[0], (len(body) - position - 2) // 4)
    return name, statement, struct.unpack_from(f"!{count}I", body, position + 2)


def bind(body: bytes) -> tuple[str, str, bytes]:
    """Return portal, prepared statement and, undecoded, the values of a Bind message."""
    portal, position = text(body)
    statement, position = text(body, position)
    return portal, statement, body[position:]


def number(body: bytes) -> int:
    """Return the 32-bit number at the start of a body (authentication request, process id); 0 if it is shorter."""
    return int(_length(body)[0]) if len(body) >= 4 else 0


def sqlstate(body: bytes) -> str:
    """Return the SQLSTATE of an ErrorResponse, its field C."""
    return fields(body).get("C", "")


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse or NoticeResponse by their letter."""
    return {chr(item[0]): item[1:].decode("utf-8", "replace") for item in body.split(b"\0") if item}


def rows(tag: bytes) -> int | None:
    """Return the number of rows in a CommandComplete tag (`INSERT 0 3`, `SELECT 20`); None without one (`BEGIN`)."""
    last = tag.rstrip(b"\0").rpartition(b" ")[2]
    return int(last) if last.isdigit() else None


def error(code: str, message: str, hint: str) -> bytes:
    """Return a FATAL ErrorResponse, ready to send."""
    parts = {"S": "FATAL", "V": "FATAL", "C": code, "M": message, "H": hint}
    body = b"".join(key.encode() + value.encode() + b"\0" for key, value in parts.items()) + b"\0"
    return b"E" + struct.pack("!I", len(body) + 4) + body
