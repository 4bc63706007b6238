"""The roles and passwords of a machine: roles.sh and secrets.sh."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.databases.databases import Database
from harness.postgres.installations import Installation
from harness.run import Run
from tests.deploy.manifests import DEPLOY, ROOT


def verifies(password: str, verifier: str) -> bool:
    """Whether a password belongs to what pg_authid keeps (RFC 5803: SCRAM-SHA-256$iterations:salt$stored:server)."""
    _, middle, keys = verifier.split("$")
    iterations, salt = middle.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return base64.b64encode(hashlib.sha256(client).digest()).decode() == keys.split(":")[0]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The directory of secrets that secrets.sh makes, from a copy; chown is left to root."""
    place = tmp_path / "vm"
    place.mkdir()
    shutil.copy(DEPLOY / "vm" / "secrets.sh", place)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "chown").write_text("#!/bin/sh\n")
    (programs / "chown").chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
    for _ in range(2):
        before = {path.name: path.read_text() for path in place.glob("secrets/*")}
        subprocess.run(["bash", place / "secrets.sh"], env=environment, check=True, cwd="/")
        after = {path.name: path.read_text() for path in place.glob("secrets/*")}
        assert before in ({}, after)
    return place / "secrets"


def test_secrets_are_long_different_and_closed(secrets: Path) -> None:
    """48 hexadecimal digits each; nobody but owner and group reads them; a second run keeps what is there."""
    words = {path.name: path.read_text().rpartition("@")[0].rpartition(":")[2] for path in secrets.glob("*_url")}
    words["superuser_password"] = (secrets / "superuser_password").read_text()
    assert len(set(words.values())) == 3
    assert all(len(word) == 48 and int(word, 16) for word in words.values())
    assert all(path.stat().st_mode & 0o007 == 0 for path in secrets.iterdir())


@pytest.mark.own_cluster
def test_the_roles_get_the_passwords_of_their_addresses(
    empty_database: Database, secrets: Path, installation: Installation
) -> None:
    """roles.sh makes the four roles, twice without harm; app and migrator log in by what their files say."""
    address = empty_database.as_role("superuser").address
    environment = {
        "PATH": f"{Path(installation.program('psql')).parent}:{os.environ['PATH']}",
        "PGHOST": address.host,
        "PGPORT": str(address.port),
        "PGUSER": address.user,
        "PGDATABASE": empty_database.name,
        "SECRETS": str(secrets),
        "ROLES": str(ROOT / "deploy/db/roles.sql"),
    }
    for _ in range(2):
        subprocess.run(["bash", DEPLOY / "vm" / "roles.sh"], env=environment, check=True)
    with empty_database.as_role("superuser").connect() as connection:
        query = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE current_database() || '\\_%%'"
        kept = {name.removeprefix(f"{empty_database.name}_"): verifier for name, verifier in connection.execute(query)}
    assert set(kept) == {"owner", "migrator", "app", "readonly"}
    assert (kept["owner"], kept["readonly"]) == (None, None)
    for role in ("app", "migrator"):
        password = (secrets / f"{role}_url").read_text().rpartition("@")[0].rpartition(":")[2]
        assert verifies(password, kept[role])
        assert not verifies("another", kept[role])


@pytest.fixture
def installation(harness_run: Run) -> Installation:
    """The programs of the run's Postgres."""
    return harness_run.choice.installation()
