"""Event triggers that tell a session's client what each DDL command did, inside functions and DO blocks too.

RAISE INFO reaches the client whatever client_min_messages is. They fire before a statement outside a transaction lets
its locks go (manual, 40.1 "Overview of Event Trigger Behavior"); CONCURRENTLY, VACUUM and CLUSTER say nothing useful.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg

SCHEMA = "harness_trace"
"""Holds the functions, in traced databases only."""

MARK = "harness-trace:"
"""What an announcement begins with."""

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


def install(connection: psycopg.Connection[Any]) -> None:
    """Set the triggers up in the database of a superuser's session."""
    connection.execute(INSTALL.encode())


def announcement(message: str) -> dict[str, Any] | None:
    """What a notice of these triggers says; None for any other notice."""
    if not message.startswith(MARK):
        return None
    said: dict[str, Any] = json.loads(message.removeprefix(MARK))
    return said
