"""What a test changes outside its database is restored before the next test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.harness.databases.scenarios import Scenario, after, check, from_outside, run

if TYPE_CHECKING:
    from tests.harness.databases.conftest import TrialServer

pytestmark = pytest.mark.integration

SCENARIOS = [
    Scenario("a setting of the database", from_outside("ALTER DATABASE {} SET work_mem TO '8MB'"), "cloned"),
    Scenario(
        "a role's setting in the database",
        from_outside("ALTER ROLE trial_app IN DATABASE {} SET work_mem TO '8MB'"),
        "cloned",
    ),
    Scenario("a comment on the database", from_outside("COMMENT ON DATABASE {} IS 'x'"), "cloned"),
    Scenario("a grant on the database", from_outside("GRANT CONNECT ON DATABASE {} TO PUBLIC"), "cloned"),
    Scenario("a limit of connections", from_outside("ALTER DATABASE {} CONNECTION LIMIT 3"), "cloned"),
    Scenario("another owner", from_outside("ALTER DATABASE {} OWNER TO trial_owner"), "cloned"),
    Scenario("made a template", from_outside("ALTER DATABASE {} IS_TEMPLATE true"), "cloned"),
    Scenario("closed", from_outside("ALTER DATABASE {} ALLOW_CONNECTIONS false"), "cloned"),
    Scenario("renamed", from_outside("ALTER DATABASE {} RENAME TO elsewhere"), "cloned"),
    Scenario("dropped", from_outside("DROP DATABASE {}"), "cloned"),
]


SHARED = [
    Scenario(
        "a role",
        run("CREATE ROLE extra; CREATE TABLE owned (); ALTER TABLE owned OWNER TO extra", role="superuser"),
        "cloned",
    ),
    Scenario(
        "a role's attributes",
        run("ALTER ROLE trial_app CREATEDB CONNECTION LIMIT 5 PASSWORD 'x' VALID UNTIL '2030-01-01'", role="superuser"),
        "cloned",
    ),
    Scenario("a role's name", run("ALTER ROLE trial_app RENAME TO extra", role="superuser"), "cloned"),
    Scenario(
        "a role's settings",
        run("ALTER ROLE trial_app SET work_mem TO '8MB'; ALTER ROLE trial_migrator RESET ALL", role="superuser"),
        "cloned",
    ),
    Scenario(
        "memberships",
        run("GRANT pg_monitor TO trial_app; REVOKE trial_owner FROM trial_migrator", role="superuser"),
        "cloned",
    ),
    Scenario(
        "a setting of the server",
        run("ALTER SYSTEM SET work_mem TO '8MB'", "SELECT pg_reload_conf()", role="superuser"),
        "cloned",
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_next_database_has_the_templates_settings(server: TrialServer, original: str, scenario: Scenario) -> None:
    """Whatever a test changed of the database itself, it is seen, and the next one is a new clone."""
    check(scenario, server, original)


@pytest.mark.parametrize("scenario", SHARED, ids=lambda scenario: scenario.name)
def test_what_all_databases_share_is_restored(server: TrialServer, scenario: Scenario) -> None:
    """No clone undoes what a test did to a role or to the server's settings, so the harness does it itself."""
    clone = server.clone()
    before = server.shared()
    assert after(scenario, server, clone) is None
    assert server.shared() == before


def test_a_client_of_the_last_test_does_not_reach_the_next_database(server: TrialServer) -> None:
    """A database that comes back changes its name, so that a thread left running finds it gone, as after a clone."""
    clone = server.clone()
    old = server.open(clone)
    again = server.cloner.reset(clone)
    assert again is not None
    assert again.name != clone.name
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        old.connect()
