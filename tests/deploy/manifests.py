"""The manifests, read for what the tests compare: variables, probes, command lines, limits."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted([*DEPLOY.glob("vm/*.service"), *DEPLOY.glob("vm/managed/*.conf")])

KILLED_AFTER = 10
"""Seconds from SIGTERM to SIGKILL: on Cloud Run, and by default under docker."""


def read_yaml(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def cloud_run(name: str) -> Any:
    """A manifest of Cloud Run, as it stands."""
    return read_yaml(DEPLOY / "cloudrun" / f"{name}.yaml")


CLOUD_RUN = {path.stem: str(read_yaml(path)["kind"]) for path in sorted(DEPLOY.glob("cloudrun/*.yaml"))}
"""The manifests of Cloud Run by name, and the kind of each: Service or Job."""


def compose() -> Any:
    """The compose file, as it stands."""
    return read_yaml(DEPLOY / "vm" / "compose.yaml")


def pod(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The innermost template of a Cloud Run service or job."""
    template = manifest["spec"]["template"]["spec"]
    return dict(template.get("template", {}).get("spec", template))


def container(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The one container of a Cloud Run service or job."""
    (found,) = pod(manifest)["containers"]
    return dict(found)


def unit(path: Path) -> list[tuple[str, str]]:
    """The lines of a systemd unit as (key, value); continued lines are joined."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if not line.startswith(("#", ";", "["))]
    return [(key, value.strip()) for key, found, value in (line.partition("=") for line in lines) if found]


def variables() -> Iterator[tuple[str, str, str | None]]:
    """Every environment variable that a manifest sets, as (file, name, value); the value is None for a secret."""
    for name in CLOUD_RUN:
        for item in container(cloud_run(name))["env"]:
            yield f"cloudrun/{name}.yaml", item["name"], item.get("value")
    for service, body in compose()["services"].items():
        for name, value in body.get("environment", {}).items():
            yield f"vm/compose.yaml {service}", name, value
    for path in UNITS:
        for key, value in unit(path):
            if key == "Environment":
                for word in shlex.split(value):
                    name, _, text = word.partition("=")
                    yield str(path.relative_to(DEPLOY)), name, text


def read_from_hosts() -> set[str]:
    """The units and services that also read variables from files of their host."""
    services = {f"vm/compose.yaml {name}" for name, body in compose()["services"].items() if "env_file" in body}
    return services | {str(path.relative_to(DEPLOY)) for path in UNITS if "EnvironmentFile" in dict(unit(path))}


def image_command() -> list[str]:
    """The command of the image: the last CMD of the Dockerfile."""
    found = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return [str(word) for word in json.loads(found[-1])]


def image_variables() -> set[str]:
    """The variables that the image sets."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ENV (.*)$", text, re.MULTILINE)
    return {word.partition("=")[0] for line in lines for word in shlex.split(line)}


def base_image() -> str:
    """The image that the Dockerfile builds on when nobody says otherwise."""
    (found,) = re.findall(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    return str(found)


def unit_command() -> list[str]:
    """The words of ExecStart in app.service."""
    return shlex.split(dict(unit(DEPLOY / "vm" / "app.service"))["ExecStart"])


def role_setting(role: str, name: str) -> float:
    """A timeout that roles.sql gives to a role, in seconds."""
    text = (DEPLOY / "db" / "roles.sql").read_text(encoding="utf-8")
    pattern = rf"SET {name} = %L', {role}, '(\d+)(ms|s|min)'"
    (found,) = re.findall(pattern, text)
    return int(found[0]) * {"ms": 0.001, "s": 1, "min": 60}[found[1]]
