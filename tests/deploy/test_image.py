"""The image, built here and run as in production: read-only, without rights, and with SIGTERM at the end."""

from __future__ import annotations

import json

import httpx
import pytest

from harness.alembic_config import script_directory
from harness.config import Config, load_config
from harness.databases.databases import Database
from harness.wire.observer import Observer
from tests.deploy.conftest import free_port, listening
from tests.deploy.containers import Engine
from tests.deploy.manifests import KILLED_AFTER, ROOT
from tests.deploy.stopping import answer_during, until

pytestmark = pytest.mark.slow

INSIDE = """
import importlib, importlib.util, json, os, pathlib, shutil, sys
importlib.import_module(APP)
modules = [(name, getattr(module.__spec__, "cached", None)) for name, module in list(sys.modules.items())
           if module.__spec__ and module.__spec__.origin and module.__spec__.origin.endswith(".py")]
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "modules": len(modules),
    "without bytecode": [name for name, cached in modules if not cached or not os.path.exists(cached)],
    "importable": [name for name in NAMES if importlib.util.find_spec(name)],
    "programs": [name for name in ("gcc", "cc", "uv", "git", "make") if shutil.which(name)],
    "source": sorted(path.name for path in pathlib.Path("/opt/app/src").iterdir()),
    "authorities": os.path.getsize(os.environ["SSL_CERT_FILE"]) > 0,
    "writable": [str(path) for path in (pathlib.Path("/opt/app"), pathlib.Path("/etc")) if os.access(path, os.W_OK)],
}))
"""
APP = load_config(ROOT).app.partition(":")[0]
ABSENT = ["harness", "pytest", "httpx", "tests", "tools", "uv", "schemathesis"]


def look_into(engine: Engine, image: str) -> dict[str, object]:
    """What a process in the image sees."""
    program = INSIDE.replace("NAMES", repr([*ABSENT, "alembic"])).replace("APP", repr(APP))
    found: dict[str, object] = json.loads(engine.run(image, "python", "-c", program))
    return found


def test_the_image_holds_the_app_and_no_tool(engine: Engine, app_image: str) -> None:
    """No harness, no test, no Alembic, no compiler, no uv; nobody's account, and nothing that it could change."""
    seen = look_into(engine, app_image)
    assert seen["user"] == [10001, 10001]
    assert (seen["importable"], seen["programs"], seen["writable"]) == ([], [], [])
    assert seen["source"] == [APP.partition(".")[0]]


def test_the_image_knows_the_authorities_of_certificates(engine: Engine, app_image: str) -> None:
    """`sslrootcert=system` works: psycopg's own OpenSSL knows where the system's are."""
    assert look_into(engine, app_image)["authorities"] is True


def test_every_module_of_the_app_has_its_bytecode(engine: Engine, app_image: str) -> None:
    """The standard library's too: a read-only container would compile it again at every start."""
    seen = look_into(engine, app_image)
    assert seen["without bytecode"] == []
    assert isinstance(seen["modules"], int)
    assert seen["modules"] > 300


def test_the_migrating_image_has_alembic_besides(engine: Engine, migrate_image: str) -> None:
    """And still no harness and no test."""
    seen = look_into(engine, migrate_image)
    assert (seen["importable"], seen["without bytecode"]) == (["alembic"], [])


def test_the_migrating_image_brings_a_database_to_head(
    engine: Engine, migrate_image: str, empty_database: Database, harness_config: Config
) -> None:
    """Hardened, as the migrator; a second run finds nothing to do."""
    with Observer(empty_database.as_role("migrator").address) as wire:
        url = wire.dsn(empty_database.as_role("migrator").dsn)
        for _ in range(2):
            engine.run(migrate_image, options=[f"--env=APP_DATABASE_URL={url}"])
    with empty_database.connect() as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert found == [(script_directory(harness_config).get_current_head(),)]


def test_the_container_serves_and_answers_what_is_in_flight(engine: Engine, app_image: str, database: Database) -> None:
    """Ready on a read-only disk without a capability; SIGTERM answers a request that waits in Postgres; exit code 0."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with Observer(database.as_role("app").address) as wire:
        url = wire.dsn(database.as_role("app").dsn)
        with engine.running(app_image, f"--env=APP_DATABASE_URL={url}", f"--env=PORT={port}") as container:
            until(lambda: listening(port), "the container listens")
            ready = httpx.get(f"{base_url}/ready", trust_env=False, timeout=30)
            assert ready.status_code == 200, engine.log(container)
            answer = answer_during(lambda: engine.stop(container, KILLED_AFTER), base_url, database)
            assert answer.status_code == 404, answer.text
            assert engine.exit_code(container) == 0, engine.log(container)
            assert "Traceback" not in engine.log(container)
