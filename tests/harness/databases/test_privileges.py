"""A clone gets the privileges that CREATE DATABASE does not copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.databases.privileges import read_privileges

if TYPE_CHECKING:
    from tests.harness.databases.conftest import TrialServer

pytestmark = pytest.mark.integration

STATEMENTS = """
    REVOKE ALL ON DATABASE {0} FROM PUBLIC;
    GRANT CONNECT ON DATABASE {0} TO trial_readonly WITH GRANT OPTION;
    GRANT TEMPORARY ON DATABASE {0} TO PUBLIC;
    ALTER DATABASE {0} SET search_path TO "a b", public;
    ALTER DATABASE {0} SET work_mem TO '8MB';
    ALTER DATABASE {0} SET app.motto TO 'it''s = "so"';
    ALTER DATABASE {0} SET session_preload_libraries TO '';
    ALTER ROLE trial_app IN DATABASE {0} SET statement_timeout TO '1s';
    COMMENT ON DATABASE {0} IS 'it''s {{}} %s';
    ALTER DATABASE {0} OWNER TO trial_owner;
"""


def _properties(server: TrialServer, name: str) -> object:
    query = "SELECT harness.properties(oid, datname) FROM pg_database WHERE datname = %s"
    return server.cloner.administrator.run(query, [name]).fetchone()


def test_a_clone_gets_the_privileges_settings_and_comment_of_its_template(server: TrialServer) -> None:
    """Owner, grants, settings of the database and of roles in it, lists and quotes in them, and the comment."""
    first, second = server.clone(), server.clone()
    administrator = server.cloner.administrator
    administrator.run(STATEMENTS.format(first.name))
    assert _properties(server, first.name) != _properties(server, second.name)
    administrator.run(f"DROP DATABASE {second.name}")
    administrator.create(second.name, "template0")
    administrator.run(read_privileges(administrator.session(), first.name).statements(second.name))
    assert _properties(server, first.name) == _properties(server, second.name)
    for clone in (first, second):
        administrator.drop(clone.name)


def test_a_clone_lets_in_the_projects_roles_and_nobody_else(server: TrialServer) -> None:
    """CONNECT is for the project's roles and nobody else, in every clone as in production."""
    clone = server.clone()
    row = server.cloner.administrator.run(
        "SELECT datacl::text FROM pg_database WHERE datname = %s", [clone.name]
    ).fetchone()
    assert row is not None
    assert "trial_app=c/" in row[0]
    assert "{=" not in row[0]
    assert ",=" not in row[0]
    server.cloner.drop(clone)
