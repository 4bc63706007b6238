"""What the manifests promise one another: names, paths, numbers of connections, seconds."""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo

from harness.api.routes import read_document
from harness.config import Config, load_object
from sealy.__main__ import OPTIONS
from sealy.settings import DatabaseSettings, Settings
from tests.deploy.manifests import (
    CLOUD_RUN,
    DEPLOY,
    KILLED_AFTER,
    ROOT,
    UNITS,
    cloud_run,
    compose,
    container,
    image_command,
    image_variables,
    pod,
    read_from_hosts,
    role_setting,
    unit,
    unit_command,
    variables,
)

OTHERS = 2 + 5 + 3
"""Connections that are not the app's: migrations, people and reports, and what Postgres keeps for superusers."""

SERVED = ("cloudrun/service.yaml", "vm/compose.yaml app", "vm/app.service")
"""The manifests that start the app, one for each host."""

OVERLAP = 2
"""During a deployment the old and the new instances are connected at once."""


@pytest.fixture(scope="module")
def settings(harness_config: Config) -> Any:
    """The app's class of settings."""
    return load_object(harness_config.settings)


def test_every_variable_is_a_setting(settings: Any) -> None:
    """A manifest cannot set what the app does not read, which a misspelt name would do without a word."""
    known = {f"APP_{name.upper()}{form}" for name in settings.model_fields for form in ("", "_FILE")}
    assert {(file, name) for file, name, _ in variables() if name.startswith("APP_") and name not in known} == set()


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias or f"APP_{name}".upper())


def test_every_value_is_accepted(settings: Any) -> None:
    """The app starts with what each manifest gives it; secrets are filled in."""
    given: dict[str, dict[str, str]] = defaultdict(dict)
    for file, name, value in variables():
        if name.startswith("APP_") and not name.endswith("_FILE") and value is not None:
            given[file][name.removeprefix("APP_").lower()] = value
    for values in given.values():
        settings(**{"database_url": "postgresql://somebody@/somewhere", **values})
    assert {*SERVED} <= set(given)


def missing(required: Iterable[str], processes: Sequence[str]) -> list[str]:
    """The required settings that a process is not given, each with the file that should give it.

    A process that also reads a file of its host (EnvironmentFile, env_file) may have them from there.
    """
    given = {(file, name.removesuffix("_FILE")) for file, name, _ in variables()}
    of_image = {(each, name) for each in processes if not each.endswith(".service") for name in image_variables()}
    return [
        f"deploy/{process}: add {name}, or {name}_FILE with the path of a file"
        for process in processes
        for name in required
        if (process, name) not in given | of_image and process not in read_from_hosts()
    ]


def required_variables(settings: Any) -> list[str]:
    """The variables of the settings that have no default."""
    fields = settings.model_fields.items()
    return [variable(name, field) for name, field in fields if field.is_required()]


@pytest.mark.parametrize("process", SERVED)
def test_every_required_setting_is_given_to_the_app(settings: Any, process: str) -> None:
    """On each host: without one of them the app does not start."""
    assert missing(required_variables(settings), [process]) == []


def test_migrations_and_jobs_are_given_the_address() -> None:
    """They need nothing else, whatever the app requires."""
    others = {file for file, name, _ in variables() if name.startswith("APP_DATABASE_URL")} - {*SERVED}
    assert {"cloudrun/migrate.yaml", "vm/compose.yaml migrate", "vm/app-migrate.service"} <= others
    assert missing(required_variables(DatabaseSettings), sorted(others)) == []


def test_a_setting_that_no_manifest_gives_is_named_with_each_file() -> None:
    """A new required setting, a secret or not, under its own name or an alias; an optional one is not asked for."""

    class MoreSettings(Settings):
        api_key: SecretStr
        region: str = Field(validation_alias="REGION")
        mail_key: SecretStr | None = None

    assert missing(required_variables(MoreSettings), SERVED) == [
        f"deploy/{process}: add {name}, or {name}_FILE with the path of a file"
        for process in SERVED
        for name in ("APP_API_KEY", "REGION")
    ]


def test_no_manifest_contains_a_secret(settings: Any) -> None:
    """An address with a password, or a key, comes by reference or by file; a peer's address has no password."""
    secrets = {
        variable(name, field) for name, field in settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    for file, name, value in variables():
        if value is not None and (name in secrets or name.endswith(("_URL", "_KEY")) or "PASSWORD" in name):
            assert name.endswith("_FILE") or re.fullmatch(r"postgresql://[a-z_]+@/.*", value), (file, name)


def test_documents_are_closed_where_the_internet_looks() -> None:
    """Every place that serves the app says APP_DOCS=false."""
    served = {file for file, name, value in variables() if (name, value) == ("APP_DOCS", "false")}
    assert served == {*SERVED}


def probes() -> Iterator[tuple[str, str, str]]:
    """Every path that a host asks, as (file, purpose, path)."""
    for purpose in ("startupProbe", "livenessProbe"):
        yield "cloudrun/service.yaml", purpose, container(cloud_run("service"))[purpose]["httpGet"]["path"]
    for service, body in compose()["services"].items():
        for found in re.findall(r"http://[^/' ]+(/[^' ]*)", str(body.get("healthcheck", ""))):
            yield f"vm/compose.yaml {service}", "livenessProbe", found
    for found in re.findall(r'"\$url(/\w+)"', (DEPLOY / "cloudrun" / "deploy.sh").read_text()):
        yield "cloudrun/deploy.sh", "gate", found


def test_probes_ask_for_what_is_there() -> None:
    """Each path is a GET route of the app, and none ends in z: Cloud Run keeps some of those to itself."""
    routes = read_document(ROOT)["paths"]
    found = list(probes())
    assert {file for file, _, _ in found} == {"cloudrun/service.yaml", "vm/compose.yaml app", "cloudrun/deploy.sh"}
    assert [each for each in found if "get" not in routes.get(each[2], {}) or each[2].endswith("z")] == []


def test_a_database_that_is_away_restarts_nobody() -> None:
    """Startup and liveness ask /health, which knows no database; only the gate of a deployment asks /ready."""
    assert {(purpose == "gate", path) for _, purpose, path in probes()} == {(False, "/health"), (True, "/ready")}


def test_a_stop_is_over_before_the_host_kills() -> None:
    """Time for requests, then for the statement that one of them may just have begun: less than ten seconds."""
    assert OPTIONS["timeout_graceful_shutdown"] + role_setting("app", "statement_timeout") < KILLED_AFTER
    assert compose()["services"]["app"]["stop_grace_period"] == f"{KILLED_AFTER}s"
    assert dict(unit(DEPLOY / "vm" / "app.service"))["TimeoutStopSec"] == str(KILLED_AFTER)


def test_both_ways_of_running_start_the_same_server() -> None:
    """The image and the systemd unit run the same module; only the image listens on every address."""
    interpreter, *image = image_command()
    path, *machine = unit_command()
    assert (interpreter, Path(path).name, image) == ("python", "python", machine)
    assert re.search(r"^ENV APP_HOST=0\.0\.0\.0 PORT=8080$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert ("vm/app.service", "APP_HOST", "127.0.0.1") in variables()


def test_idle_connections_outlive_the_proxys() -> None:
    """A proxy that keeps a connection longer than the app would write into one that is being closed: a 502."""
    ours = OPTIONS["timeout_keep_alive"]
    theirs = re.findall(r"^\s*keepalive (\d+)s$", (DEPLOY / "vm" / "Caddyfile").read_text(), re.MULTILINE)
    theirs += re.findall(r"keepAliveTimeout: (\d+)s", (DEPLOY / "cloudflare" / "cloudflared.yml").read_text())
    assert len(theirs) == 2
    assert all(int(seconds) < ours for seconds in theirs)


def pool(file: str, settings: Any) -> int:
    """Connections of one instance in a manifest: what it sets, else the default."""
    (found,) = [int(str(v)) for f, name, v in variables() if f == file and name == "APP_POOL_SIZE"] or [
        settings.model_fields["pool_size"].default
    ]
    return int(found)


def limits() -> dict[str, tuple[int, int, str]]:
    """Per host: instances, max_connections of its database, and the file that sets the size of the pool."""
    service = cloud_run("service")
    scale = service["metadata"]["annotations"]["run.googleapis.com/maxScale"]
    (flags,) = re.findall(r"max_connections=(\d+)", (DEPLOY / "cloudrun" / "setup.sh").read_text())
    (server,) = re.findall(r"max_connections=(\d+)", str(compose()["services"]["db"]["command"]))
    return {
        "Cloud Run with Cloud SQL": (int(scale), int(flags), "cloudrun/service.yaml"),
        "one machine, compose": (1, int(server), "vm/compose.yaml app"),
        "one machine, systemd": (1, 100, "vm/app.service"),
    }  # 100 is what Postgres has when nobody says otherwise


@pytest.mark.parametrize("host", sorted(limits()))
def test_the_database_has_a_connection_for_everyone(host: str, settings: Any) -> None:
    """Old and new instances at once, each one process with a full pool, plus migrations, people and the superuser."""
    assert "workers" not in OPTIONS
    assert "WEB_CONCURRENCY" not in {name for _, name, _ in variables()}
    instances, maximum, file = limits()[host]
    needed = OVERLAP * instances * pool(file, settings) + OTHERS
    assert needed <= maximum, f"{host}: {needed} connections needed, {maximum} allowed"


def test_no_revision_scales_past_the_service() -> None:
    """The arithmetic above holds for one revision and for all of them together."""
    service = cloud_run("service")
    revision = service["spec"]["template"]["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"]
    assert service["metadata"]["annotations"]["run.googleapis.com/maxScale"] == revision


def pinned(name: str) -> set[str]:
    """The pins of a file in requirements/."""
    return set(re.findall(r"^[A-Za-z0-9_.-]+==\S+", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))


def test_what_migrates_is_what_serves_and_alembic() -> None:
    """The job that migrates has the app's packages at the app's versions, and three more."""
    more = {pin.partition("==")[0] for pin in pinned("migrate") - pinned("app")}
    assert pinned("app") <= pinned("migrate")
    assert more == {"alembic", "mako", "markupsafe"}


def test_cloud_run_accepts_the_names() -> None:
    """Lower-case letters, digits and hyphens, 49 at most: an underscore from a Python name would be refused."""
    for name in CLOUD_RUN:
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?", cloud_run(name)["metadata"]["name"])


def test_the_proxy_never_queues_more_than_the_app_has_threads() -> None:
    """Cloud Run sends one instance at most as many requests at once as it has threads for them (AnyIO: 40)."""
    assert cloud_run("service")["spec"]["template"]["spec"]["containerConcurrency"] <= 40


def test_the_database_is_never_published() -> None:
    """In compose only the proxy has ports, and Postgres is on a network that leads nowhere."""
    document = compose()
    assert [name for name, body in document["services"].items() if "ports" in body] == ["caddy"]
    assert document["services"]["db"]["networks"] == ["data"]
    assert document["networks"]["data"]["internal"] is True


def test_the_app_waits_for_the_migrations() -> None:
    """Compose and systemd alike: no start before they succeeded, and none when they failed."""
    waits = compose()["services"]["app"]["depends_on"]["migrate"]
    assert waits == {"condition": "service_completed_successfully"}
    lines = unit(DEPLOY / "vm" / "app.service")
    assert {("Requires", "app-migrate.service"), ("After", "app-migrate.service")} <= set(lines)


def secret_of(manifest: str, variable: str) -> str:
    """The secret that a variable of a Cloud Run manifest has its value from."""
    (found,) = [each for each in container(cloud_run(manifest))["env"] if each["name"] == variable]
    return str(found["valueFrom"]["secretKeyRef"]["name"])


def test_the_app_never_holds_the_migrators_secret() -> None:
    """Least privilege: what serves has the app's address, what migrates has the migrator's, and nobody has both."""
    services = compose()["services"]
    assert "migrator_url" not in services["app"]["secrets"]
    assert services["migrate"]["secrets"] == ["migrator_url"]
    accounts = {name: pod(cloud_run(name))["serviceAccountName"] for name in CLOUD_RUN}
    secrets = {name: secret_of(name, "APP_DATABASE_URL") for name in CLOUD_RUN}
    assert [name for name in CLOUD_RUN if accounts[name] == accounts["service"]] == ["service"]
    assert [name for name in CLOUD_RUN if secrets[name] == secrets["service"]] == ["service"]
    users = [dict(unit(DEPLOY / "vm" / f"{name}.service"))["User"] for name in ("app", "app-migrate")]
    assert users == ["sealy_app", "sealy_migrator"]


def test_everyone_but_the_database_runs_hardened() -> None:
    """Read-only, no capability but the proxy's port, no new privileges."""
    services = compose()["services"]
    for name in set(services) - {"db"}:
        body = services[name]
        assert (body["read_only"], body["cap_drop"], body["security_opt"]) == (
            True,
            ["ALL"],
            ["no-new-privileges:true"],
        )
        assert body.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "caddy" else [])


def test_only_the_proxys_network_may_name_the_client() -> None:
    """Nobody trusts `*`: uvicorn would take the leftmost address, which the client wrote."""
    trusted = {file: value for file, name, value in variables() if name == "FORWARDED_ALLOW_IPS"}
    (subnet,) = [each["subnet"] for each in compose()["networks"]["edge"]["ipam"]["config"]]
    assert trusted == {"vm/compose.yaml app": subnet, "vm/app.service": "127.0.0.1"}
    assert "forwarded_allow_ips" not in OPTIONS


@pytest.mark.parametrize(
    "path", ["deploy/vm/secrets/app_url", "deploy/vm/.env", "deploy/vm/backups/a.dump", "secrets.txt"]
)
def test_what_a_host_keeps_to_itself_is_not_committed(path: str) -> None:
    """`git add --all` next to a deployment adds no password."""
    assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=False).returncode == 0


def test_docker_runs_services_that_are_there() -> None:
    """The lines that a unit has for docker name services of compose, and need no more variables than its own file."""
    lines = [
        line for path in UNITS for line in re.findall(r"^#   ExecStart=(docker .*)$", path.read_text(), re.MULTILINE)
    ]
    named = {re.sub(r"^.* run (--\S+ )*", "", line).split()[0] for line in lines}
    assert "backup" in named
    assert all("--project-directory /opt/sealy/app/deploy/vm " in line for line in lines)
    assert named <= set(compose()["services"])
