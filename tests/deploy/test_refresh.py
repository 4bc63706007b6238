"""Each host refreshes the counts of tags, with the command in its files and a role that may."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.databases.databases import Database
from harness.wire.observer import Observer
from tests.deploy.containers import Engine
from tests.deploy.manifests import CLOUD_RUN, DEPLOY, ROOT, cloud_run, compose, container, pod, unit
from tests.deploy.test_deploy_script import Cloud
from tests.deploy.test_schemas import need_package

REFRESH = DEPLOY / "vm" / "app-refresh.service"


def commands() -> dict[str, list[str]]:
    """The words after the interpreter, for each host."""
    (docker,) = re.findall(r"^#   ExecStart=(docker .*)$", REFRESH.read_text(), re.MULTILINE)
    found = {
        "Cloud Run": container(cloud_run("refresh"))["command"],
        "systemd": shlex.split(dict(unit(REFRESH))["ExecStart"]),
        "docker": shlex.split(docker.partition(" --no-deps ")[2])[1:],
    }
    assert [Path(words[0]).name for words in found.values()] == ["python"] * 3
    return {host: words[1:] for host, words in found.items()}


@pytest.mark.parametrize("host", ["Cloud Run", "systemd", "docker"])
def test_the_command_of_a_host_refreshes(host: str, database: Database) -> None:
    """The module is there, and the migrator may."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "APP_DATABASE_URL": database.as_role("migrator").dsn}
    ended = subprocess.run([sys.executable, *commands()[host]], env=env, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    assert ended.stdout.startswith("refresh: ")


@pytest.mark.slow
@pytest.mark.parametrize(("host", "image"), [("Cloud Run", "app_image"), ("docker", "migrate_image")])
def test_the_images_refresh(
    host: str, image: str, engine: Engine, database: Database, request: pytest.FixtureRequest
) -> None:
    """Each host runs it in its own image, hardened as the app."""
    with Observer(database.as_role("migrator").address) as wire:
        url = wire.dsn(database.as_role("migrator").dsn)
        options = [f"--env=APP_DATABASE_URL={url}"]
        shown = engine.run(request.getfixturevalue(image), "python", *commands()[host], options=options)
    assert shown.startswith("refresh: ")


def test_it_runs_as_who_migrates() -> None:
    """Only the owner may refresh: each host gives the job the account and the address of the migrations."""
    migrate, refresh = cloud_run("migrate"), cloud_run("refresh")
    assert container(refresh)["env"] == container(migrate)["env"]
    assert pod(refresh)["serviceAccountName"] == pod(migrate)["serviceAccountName"]
    for key in ("User", "WorkingDirectory", "Environment"):
        values = [
            [v for k, v in unit(DEPLOY / "vm" / f"{name}.service") if k == key]
            for name in ("app-migrate", REFRESH.stem)
        ]
        assert values[0] == values[1], key
    (service,) = re.findall(r"--no-deps (\S+) ", REFRESH.read_text())
    assert compose()["services"][service]["secrets"] == ["migrator_url"]


def test_a_timer_runs_it() -> None:
    """Every five minutes, on a machine and in the cloud alike."""
    timer = dict(unit(REFRESH.with_suffix(".timer")))
    assert (timer["OnCalendar"], timer["WantedBy"]) == ("*:0/5", "timers.target")
    assert '--schedule="*/5 * * * *"' in (DEPLOY / "cloudrun" / "schedule.sh").read_text()


def test_the_scheduler_may_run_the_one_job(tmp_path: Path) -> None:
    """A separate account may invoke this job and nothing else; it calls what Google's description calls `run`."""
    cloud = Cloud(tmp_path)
    assert cloud.run("schedule.sh").returncode == 0
    diary = cloud.diary.read_text().splitlines()
    account = "sealy-refresh@a-project.iam.gserviceaccount.com"
    (grant,) = [line for line in diary if "add-iam-policy-binding" in line]
    assert f"run jobs add-iam-policy-binding {cloud_run('refresh')['metadata']['name']} " in grant
    assert grant.endswith(f"--role=roles/run.invoker --member=serviceAccount:{account}")
    (schedule,) = [line for line in diary if "scheduler jobs create http" in line]
    assert f"--oauth-service-account-email={account}" in schedule
    documents = Path(need_package("googleapiclient").__file__ or "").parent / "discovery_cache" / "documents"
    described = json.loads((documents / "run.v2.json").read_text())
    method = described["resources"]["projects"]["resources"]["locations"]["resources"]["jobs"]["methods"]["run"]
    pattern = method["flatPath"].replace("{projectsId}", "a-project").replace("{locationsId}", "europe-west1")
    address = described["rootUrl"] + pattern.replace("{jobsId}", "sealy-refresh")
    assert (method["httpMethod"], f"--uri={address}" in schedule) == ("POST", True)


def test_every_deployment_brings_the_jobs_up_to_date(tmp_path: Path) -> None:
    """What runs on a schedule is the build that serves."""
    cloud = Cloud(tmp_path)
    assert cloud.run("deploy.sh", "deploy", "abc123").returncode == 0
    jobs = [name for name, kind in CLOUD_RUN.items() if kind == "Job"]
    assert jobs == ["migrate", "refresh"]
    for name in jobs:
        assert container(cloud.manifest(name))["image"].endswith(":abc123")
