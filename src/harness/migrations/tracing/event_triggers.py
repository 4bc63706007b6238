"""Event triggers that send the client a notice of each DDL command, also inside functions and DO blocks.

RAISE INFO reaches the client at any client_min_messages. The triggers fire before a statement outside a transaction
releases its locks (manual, 40.1 "Overview of Event Trigger Behavior"); CONCURRENTLY, VACUUM and CLUSTER send nothing
useful.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg

from harness.migrations.tracing.evidence import Command, DroppedObject, Notice

SCHEMA = "harness_trace"
"""The schema of the functions, in traced databases only."""

MARK = "harness-trace:"
"""The start of these triggers' notices."""

_LOCKS = """
(SELECT json_agg(json_build_array(l.relation::bigint, l.mode)) FROM pg_locks l
  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted)
"""

INSTALL = f"""
CREATE SCHEMA {SCHEMA};
GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC;
CREATE FUNCTION {SCHEMA}.command_end() RETURNS event_trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE INFO USING MESSAGE = '{MARK}' || json_build_object(
    'locks', {_LOCKS},
    'tag', tg_tag,
    'commands', (SELECT json_agg(json_build_array(c.command_tag, c.object_identity))
      FROM pg_event_trigger_ddl_commands() c));
END $$;
CREATE FUNCTION {SCHEMA}.dropped() RETURNS event_trigger LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
  RAISE INFO USING MESSAGE = '{MARK}' || json_build_object(
    'locks', {_LOCKS},
    'tag', tg_tag,
    'dropped', (SELECT json_agg(json_build_array(d.object_type, d.object_identity, d.original, d.normal))
      FROM pg_event_trigger_dropped_objects() d WHERE NOT d.is_temporary));
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO PUBLIC;
CREATE EVENT TRIGGER {SCHEMA}_command_end ON ddl_command_end EXECUTE FUNCTION {SCHEMA}.command_end();
CREATE EVENT TRIGGER {SCHEMA}_dropped ON sql_drop EXECUTE FUNCTION {SCHEMA}.dropped();
"""  # noqa: S608 - every part is a constant of this module


def install_event_triggers(connection: psycopg.Connection[Any]) -> None:
    """Install the triggers in the database of a superuser's session."""
    connection.execute(INSTALL.encode())


def announcement(message: str) -> dict[str, Any] | None:
    """Return the content of a notice of these triggers; None for any other notice."""
    if not message.startswith(MARK):
        return None
    said: dict[str, Any] = json.loads(message.removeprefix(MARK))
    return said


def parse_notices(
    said: list[tuple[str, str]],
) -> tuple[tuple[Command, ...], tuple[DroppedObject, ...], tuple[Notice, ...], frozenset[tuple[int, str]]]:
    """Return from notices: the commands, the objects dropped with others, the other notices, and the locks."""
    commands: list[Command] = []
    dropped: list[DroppedObject] = []
    notices: list[Notice] = []
    locks: set[tuple[int, str]] = set()
    for sqlstate, message in said:
        announced = announcement(message)
        if announced is None:
            notices.append(Notice(sqlstate, message))
            continue
        locks.update((oid, mode) for oid, mode in announced["locks"] or ())
        commands += [Command(tag, identity) for tag, identity in announced.get("commands") or ()]
        if announced.get("commands") is None and "commands" in announced:
            commands.append(Command(announced["tag"], ""))
        objects = announced.get("dropped") or ()
        own = {name for _, name, original, _ in objects if original}
        commands += [Command(announced["tag"], name) for name in sorted(own)]
        dropped += [
            DroppedObject(kind, name)
            for kind, name, original, normal in objects
            if normal and not original and not any(name.endswith(f" on {item}") for item in own)
        ]
    return tuple(commands), tuple(dropped), tuple(notices), frozenset(locks)
