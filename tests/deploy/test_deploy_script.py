"""deploy.sh against a gcloud and a curl that write down what they are asked: the order, and what a failure leaves."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.manifests import DEPLOY, read_yaml
from tests.deploy.test_schemas import faults

GCLOUD = r"""#!/bin/bash
echo "gcloud $*" >> "$DIARY"
case "$*" in
  *" replace "*) cp "${@: -1}" "$SEEN" ;;
  *"secrets create "*) echo "$5 $(cat)" >> "$SEEN/secrets" ;;
  *"secrets versions access"*) printf secret-of-the-edge ;;
  *status.traffic.percent*) printf "$SERVING" ;;
  *status.traffic.url*) printf 'old|https://old.example\ncandidate|https://candidate.example\n' ;;
esac
case "$*" in *"$BREAK"*) [ -z "$BREAK" ] || exit 1 ;; esac
"""
CURL = r"""#!/bin/bash
echo "curl ${@: -1} $(cat)" >> "$DIARY"
[ "$BREAK" != ready ]
"""


class Cloud:
    """Runs a script of deploy/cloudrun with the two programs replaced."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.diary = place / "diary"
        self.seen = place / "seen"
        self.seen.mkdir()
        for name, text in (("gcloud", GCLOUD), ("curl", CURL)):
            (place / name).write_text(text)
            (place / name).chmod(0o755)

    def run(
        self, script: str | Path, *arguments: str, broken: str = "", serving: str = "0|sealy-a\n100|sealy-b\n"
    ) -> subprocess.CompletedProcess[str]:
        """Run the script; the call that contains `broken` fails."""
        self.diary.write_text("")
        environment = {
            "PATH": f"{self.place}:{os.environ['PATH']}",
            "PROJECT": "a-project",
            "REGION": "europe-west1",
            "DIARY": str(self.diary),
            "SEEN": str(self.seen),
            "SERVING": serving,
            "BREAK": broken,
        }
        return subprocess.run(
            ["bash", DEPLOY / "cloudrun" / script, *arguments],
            env=environment,
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )

    def steps(self) -> list[str]:
        """What was done, without what was only asked."""
        words = ("jobs replace", "jobs execute", "services replace", "curl", "update-traffic")
        lines = self.diary.read_text().splitlines()
        return [next(word for word in words if word in line) for line in lines if any(word in line for word in words)]

    def manifest(self, name: str) -> Any:
        """A manifest as it was handed to gcloud."""
        return read_yaml(self.seen / f"{name}.yaml")


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """A cloud that only remembers."""
    return Cloud(tmp_path)


def test_migrations_then_a_revision_then_ready_then_traffic(cloud: Cloud) -> None:
    """In this order, and the traffic goes to the very revision that was asked."""
    done = cloud.run("deploy.sh", "deploy", "abc123")
    assert done.returncode == 0, done.stderr
    (updated, *after) = [step for step, _ in groupby(cloud.steps())]
    assert (updated, after) == ("jobs replace", ["jobs execute", "services replace", "curl", "update-traffic"])
    diary = cloud.diary.read_text()
    name = cloud.manifest("service")["spec"]["template"]["metadata"]["name"]
    assert name.startswith("sealy-abc123-")
    assert f"--to-revisions={name}=100" in diary.splitlines()[-1]
    assert "jobs execute sealy-migrate --wait" in diary
    assert "curl https://candidate.example/ready x-edge-key: secret-of-the-edge" in diary
    assert "rollback sealy-b" in done.stderr


@pytest.mark.parametrize("broken", ["services list", "jobs replace", "jobs execute", "services replace", "ready"])
def test_a_step_that_fails_leaves_the_traffic_where_it_was(cloud: Cloud, broken: str) -> None:
    """Nothing after it is done; above all, no traffic moves."""
    done = cloud.run("deploy.sh", "deploy", "abc123", broken=broken)
    assert done.returncode != 0
    assert "update-traffic" not in cloud.diary.read_text()
    if broken == "ready":
        assert "the traffic stays at sealy-b" in done.stderr


def test_the_new_revision_starts_without_traffic(cloud: Cloud) -> None:
    """All of it stays at the revision that serves; what is applied is what the API knows, with every value put in."""
    cloud.run("deploy.sh", "deploy", "abc123")
    service, job = cloud.manifest("service"), cloud.manifest("migrate")
    name = service["spec"]["template"]["metadata"]["name"]
    assert service["spec"]["traffic"] == [
        {"revisionName": "sealy-b", "percent": 100},
        {"revisionName": name, "percent": 0, "tag": "candidate"},
    ]
    assert (faults("Service", service), faults("Job", job)) == ([], [])
    assert "${" not in f"{service}{job}"
    assert service["spec"]["template"]["spec"]["containers"][0]["image"].endswith("/sealy/sealy:abc123")
    assert "sealy/sealy-migrate:abc123" in str(job)


def test_the_first_deployment_has_nothing_to_keep(cloud: Cloud) -> None:
    """Where no revision serves yet, the new one gets the traffic, and the name under which it is asked."""
    assert cloud.run("deploy.sh", "deploy", "abc123", serving="").returncode == 0
    assert cloud.manifest("service")["spec"]["traffic"] == [
        {"latestRevision": True, "percent": 100, "tag": "candidate"}
    ]


def test_a_rollback_is_one_call(cloud: Cloud) -> None:
    """The named revision gets all traffic; the database stays as it is."""
    assert cloud.run("deploy.sh", "rollback", "sealy-b").returncode == 0
    (line,) = cloud.diary.read_text().splitlines()
    assert line.endswith("services update-traffic sealy --to-revisions=sealy-b=100")


@pytest.mark.parametrize("arguments", [[], ["deploy"], ["rollback", "a", "b"], ["remove", "a"]])
def test_anything_else_says_how_it_is_used(cloud: Cloud, arguments: list[str]) -> None:
    """And does nothing."""
    done = cloud.run("deploy.sh", *arguments)
    assert (done.returncode, "deploy.sh deploy TAG" in done.stderr, cloud.diary.read_text()) == (2, True, "")


def test_setting_up_shows_no_secret(cloud: Cloud) -> None:
    """Secrets go by standard input, never as an argument; each is open to the account that needs it."""
    assert cloud.run("setup.sh").returncode == 0
    diary = cloud.diary.read_text()
    written = (cloud.place / "secrets.txt").read_text()
    passwords = [word for word in written.split("'") if len(word) == 48]
    assert len(set(passwords)) == 2
    assert not any(word in diary for word in passwords)
    kept = (cloud.seen / "secrets").read_text().splitlines()
    addresses = [line for line in kept if line.startswith(("sealy-app-url", "sealy-migrator-url"))]
    assert [any(word in line for word in passwords) for line in addresses] == [True, True]
    assert (cloud.place / "secrets.txt").stat().st_mode & 0o077 == 0
    readers = [line.split() for line in diary.splitlines() if "secretAccessor" in line]
    assert [(words[5], words[-1].split(":")[1].split("@")[0]) for words in readers] == [
        ("sealy-app-url", "sealy-app"),
        ("sealy-migrator-url", "sealy-migrate"),
        ("sealy-edge-key", "sealy-app"),
    ]


def test_a_service_with_a_hyphen_has_a_database_without(cloud: Cloud) -> None:
    """Google's names have hyphens, Postgres's want quotes for them: the database and its roles have underscores."""
    script = cloud.place / "setup.sh"
    text = (DEPLOY / "cloudrun" / "setup.sh").read_text()
    script.write_text(re.sub("^SERVICE=.*$", "SERVICE=two-words", text, flags=re.MULTILINE))
    assert cloud.run(script).returncode == 0
    diary = cloud.diary.read_text()
    assert "sql instances create two-words " in diary
    assert "sql databases create two_words --instance=two-words" in diary
    assert "postgresql://two_words_app:" in (cloud.seen / "secrets").read_text()
    assert "ALTER ROLE two_words_app " in (cloud.place / "secrets.txt").read_text()
