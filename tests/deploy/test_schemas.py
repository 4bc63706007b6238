"""Every file that a vendor's program will read is read here by that program, or checked against its own schema."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.deploy.manifests import CLOUD_RUN, DEPLOY, ROOT, cloud_run, compose, read_yaml

SCRIPTS = sorted(DEPLOY.glob("**/*.sh"))
PROGRAMS = Path(sys.executable).parent


def need(*names: str) -> str:
    """The path of the first program that is here; the test is skipped, and says so, when none is."""
    for name in names:
        found: str | None = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}{PROGRAMS}")
        if found:
            return found
    pytest.skip(f"needs {' or '.join(names)}, which is not here")


def need_package(name: str) -> ModuleType:
    """A package of requirements/deploy.txt; the test is skipped, and says so, where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        pytest.skip(f"needs the package {name}, which the session deploy has")


def check(*command: str | Path, **options: Any) -> str:
    """Run a program that must succeed; its output fails the test when it does not."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def discovery() -> dict[str, Any]:
    """Google's own description of the Cloud Run API, as google-api-python-client carries it."""
    package = Path(need_package("googleapiclient").__file__ or "").parent
    path = package / "discovery_cache" / "documents" / "run.v1.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def strict(schema: Any) -> Any:
    """A discovery document's schema as JSON Schema: unknown keys are errors, and 64-bit integers are strings."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items() if key not in {"id", "format"}}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = f"#/schemas/{made['$ref']}"
    if isinstance(made.get("properties"), dict) and "type" in made:
        made["additionalProperties"] = False
    return made


def faults(kind: str, manifest: Mapping[str, Any]) -> list[str]:
    """What Google's description says against a manifest."""
    document = discovery()
    schema = {"$ref": f"#/schemas/{kind}", "schemas": strict(document["schemas"])}
    validator = need_package("jsonschema").Draft202012Validator(schema)
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]
    known = set(re.findall(r"(?:run\.googleapis\.com|autoscaling\.knative\.dev)/[A-Za-z-]+", json.dumps(document)))
    template = manifest["spec"]["template"]["metadata"]
    used = {**manifest["metadata"].get("annotations", {}), **template.get("annotations", {})}
    return found + [f"unknown annotation {name}" for name in used if name not in known]


@pytest.mark.parametrize(("name", "kind"), CLOUD_RUN.items())
def test_cloud_run_knows_every_key_and_annotation(name: str, kind: str) -> None:
    """Checked against the API's own description, so that a misspelt key does not silently mean the default."""
    assert faults(kind, cloud_run(name)) == []


def test_a_misspelt_key_or_annotation_would_be_seen() -> None:
    """The check above is one: three mistakes that Cloud Run would ignore or refuse are each named."""
    mistakes: list[Any] = [copy.deepcopy(cloud_run("service")) for _ in range(3)]
    inner = [mistake["spec"]["template"] for mistake in mistakes]
    inner[0]["spec"]["containers"][0]["startupProbe"]["failureTreshold"] = 3
    inner[1]["metadata"]["annotations"]["run.googleapis.com/startup-cpu-bost"] = "true"
    inner[2]["spec"]["containerConcurrency"] = "forty"
    found = [faults("Service", mistake) for mistake in mistakes]
    assert [len(each) for each in found] == [1, 1, 1]
    for text, each in zip(("failureTreshold", "startup-cpu-bost", "forty"), found, strict=True):
        assert text in each[0]


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("vendor.compose-spec", "deploy/vm/compose.yaml"),
        ("vendor.github-workflows", ".github/workflows/main.yaml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
    ],
)
def test_files_follow_their_published_schemas(schema: str, path: str) -> None:
    """Compose, workflows and dependabot, as schemastore.org and their vendors describe them."""
    need_package("check_jsonschema")
    check(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, path)


@pytest.mark.parametrize("profiles", ["database,caddy", "database,tunnel", "caddy", "tunnel", "database,backup"])
def test_compose_itself_reads_every_way_of_running(profiles: str) -> None:
    """Its own parser resolves the services of each profile, with the database here or elsewhere."""
    plugin = need("docker-compose", "docker")
    command = [plugin, "compose"] if Path(plugin).name == "docker" else [plugin]
    version = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
    if not version.stdout.lstrip("v").startswith(("2.", "3.", "4.", "5.")):
        pytest.skip(f"needs compose 2 or newer; {plugin} says {version.stdout or version.stderr}")
    environment = {"PATH": str(Path(plugin).parent), "TAG": "tried", "COMPOSE_PROFILES": profiles}
    text = check(*command, "--file", "deploy/vm/compose.yaml", "config", "--format", "json", env=environment)
    services = json.loads(text)["services"]
    assert {"app", "migrate"} <= set(services)
    assert ("db" in services) == ("database" in profiles)


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    """Every key is known, in its right section; only the programs of a build that is not here are missed."""
    program = need("systemd-analyze")
    for path in DEPLOY.glob("vm/app*.*"):
        shutil.copy(path, tmp_path)
        drop_in = DEPLOY / "vm" / "managed" / f"{path.stem}.conf"
        if path.suffix == ".service" and drop_in.exists():
            (tmp_path / f"{path.name}.d").mkdir()
            shutil.copy(drop_in, tmp_path / f"{path.name}.d" / "managed.conf")
    units = sorted(str(path) for path in tmp_path.glob("app*.*") if path.is_file())
    environment = {"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"}
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False, env=environment)
    complaints = [line for line in done.stderr.splitlines() if "is not executable: No such file" not in line]
    assert {"app.service", "app-migrate.service", "app-backup.timer"} <= {Path(name).name for name in units}
    assert [line for line in complaints if "app" in line] == []


def test_caddy_reads_its_file() -> None:
    """Validated by Caddy, and formatted as it formats."""
    program = need("caddy")
    check(program, "validate", "--adapter", "caddyfile", "--config", DEPLOY / "vm" / "Caddyfile")
    check(program, "fmt", "--diff", DEPLOY / "vm" / "Caddyfile")


def test_the_dockerfile_has_no_known_slip() -> None:
    """hadolint, every rule."""
    check(need("hadolint"), "--failure-threshold", "style", "Dockerfile")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_bash_reads_the_scripts(path: Path) -> None:
    """As a syntax, which every machine can tell."""
    check("bash", "-n", path)


def test_the_scripts_have_no_known_slip() -> None:
    """shellcheck, every level."""
    check(need("shellcheck"), *SCRIPTS)


def test_wrangler_knows_every_key() -> None:
    """Checked against the schema that wrangler brings along; the Worker has no name but the route's."""
    wrangler = Path(need("wrangler", str(ROOT / "node_modules/.bin/wrangler"))).resolve()
    schema = json.loads((wrangler.parents[1] / "config-schema.json").read_text(encoding="utf-8"))
    text = (DEPLOY / "cloudflare" / "wrangler.jsonc").read_text(encoding="utf-8")
    settings = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    validator = need_package("jsonschema").Draft7Validator(schema)
    assert [error.message for error in validator.iter_errors(settings)] == []
    assert not validator.is_valid({**settings, "workers_dve": False})
    assert (settings["workers_dev"], settings["preview_urls"]) == (False, False)
    assert (DEPLOY / "cloudflare" / settings["main"]).exists()


def test_the_tunnel_refuses_what_it_does_not_name() -> None:
    """cloudflared wants a last rule that catches everything; and each host refuses /metrics before it is served."""
    rules = read_yaml(DEPLOY / "cloudflare" / "cloudflared.yml")["ingress"]
    assert rules[-1] == {"service": "http_status:404"}
    served = [place for place, rule in enumerate(rules) if rule["service"].startswith("http://")]
    for place in served:
        before = [rule for rule in rules[:place] if rule.get("hostname") == rules[place]["hostname"]]
        refused = [rule for rule in before if rule["service"] == "http_status:404"]
        assert any(re.search(rule["path"], path) for rule in refused for path in ["/metrics"])
        assert not any(re.search(rule["path"], "/v1/todos") for rule in refused)


def test_the_tunnel_leads_to_the_app() -> None:
    """The service that cloudflared calls is one of compose, on the network that both are on."""
    services = compose()["services"]
    rules = read_yaml(DEPLOY / "cloudflare" / "cloudflared.yml")["ingress"]
    targets = {rule["service"] for rule in rules} - {"http_status:404"}
    assert targets == {"http://app:8080"}
    assert set(services["cloudflared"]["networks"]) <= set(services["app"]["networks"])
