"""The cache speeds up later runs, and no damage to it fails one."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import zlib
from pathlib import Path

import pytest

from harness.config import Config
from harness.databases import cache as caching
from harness.databases.cache import ClusterCache, cluster_key, template_key
from harness.databases.prepared import databases_on, prepared_cluster
from harness.errors import HarnessError
from harness.postgres.installations import Installation, installations
from harness.postgres.os_account import server_account
from harness.postgres.server import SETTINGS, Cluster
from tests.harness.projects import ALEMBIC, write_environment, write_files

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="session")
def installation() -> Installation:
    """Any server that is here."""
    return next(installations())


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory, installation: Installation, trial: Config) -> Path:
    """The directory of a cache that a run has filled."""
    place = tmp_path_factory.mktemp("filled")
    _run(installation, trial, ClusterCache(place))
    return place


@pytest.fixture
def cache(tmp_path: Path, filled: Path) -> ClusterCache:
    """A cache of this test's own, filled by a run."""
    place = tmp_path / "a place with 'quotes'"
    place.mkdir()
    for archive in filled.glob("*.tar"):
        (place / archive.name).write_bytes(archive.read_bytes())
    return ClusterCache(place)


def _run(installation: Installation, config: Config, cache: ClusterCache | None) -> int:
    """A run with one test, which counts the seeded rows."""
    with (
        contextlib.closing(prepared_cluster(installation, config, cache)) as cluster,
        contextlib.closing(databases_on(cluster, config)) as databases,
        databases.create(migrated=True).connect() as connection,
    ):
        row = connection.execute("SELECT count(*) FROM colour").fetchone()
    return int(row[0]) if row else 0


def _archive(cache: ClusterCache) -> Path:
    (archive,) = cache.place.glob("*.tar")
    return archive


@pytest.fixture
def no_initdb(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a cluster is initialised."""
    monkeypatch.setattr(Cluster, "initialise", lambda self: pytest.fail("initdb was run"))


def test_the_second_run_neither_initialises_nor_migrates(
    installation: Installation, trial: Config, cache: ClusterCache, no_initdb: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm cache gives a started cluster with the migrated template on it."""
    monkeypatch.setattr("harness.databases.databases.upgrade", lambda *_: pytest.fail("migrations were run"))
    assert _run(installation, trial, cache) == 2


@pytest.mark.parametrize("damage", ["truncated", "one byte", "empty", "no cluster"])
def test_a_damaged_archive_is_thrown_away(
    installation: Installation, trial: Config, cache: ClusterCache, damage: str
) -> None:
    """No damage to the cache fails a run: the archive is made again."""
    archive = _archive(cache)
    content = bytearray(archive.read_bytes())
    if damage == "truncated":
        archive.write_bytes(content[: len(content) // 2])
    elif damage == "one byte":
        content[len(content) // 2] ^= 1
        archive.write_bytes(content)
    elif damage == "empty":
        archive.write_bytes(b"")
    else:
        zeros = bytes(10240)  # tar's own end of an archive, and nothing before it
        archive.unlink()
        archive = archive.with_name(f"{archive.name.split('.')[0]}.10240.{zlib.crc32(zeros):08x}.tar")
        archive.write_bytes(zeros)
    assert _run(installation, trial, cache) == 2
    assert _archive(cache).stat().st_size == len(content) or damage == "no cluster"
    assert _archive(cache).read_bytes()[:10240] != bytes(10240)


def test_a_cache_that_cannot_be_written_does_not_fail_a_run(
    installation: Installation, trial: Config, tmp_path: Path
) -> None:
    """Where the cache's directory cannot be, the run works without."""
    (tmp_path / "file").touch()
    assert _run(installation, trial, ClusterCache(tmp_path / "file")) == 2


def test_two_runs_at_once_make_one_archive(
    installation: Installation, trial: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two cold runs waits for the first and starts from what that made, as xdist's workers do."""
    made: list[Cluster] = []
    initialise = Cluster.initialise

    def noted(self: Cluster) -> None:
        made.append(self)
        initialise(self)

    monkeypatch.setattr(Cluster, "initialise", noted)
    threads = [threading.Thread(target=_run, args=(installation, trial, ClusterCache(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(list(tmp_path.glob("*.tar"))) == 1


def test_the_cache_is_bounded(cache: ClusterCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least recently used archives go when there are too many bytes; what was just written stays."""
    monkeypatch.setattr(caching, "MOST_BYTES", 30_000)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("18")
    for number in range(4):
        cache.store(f"cluster-{number}", tmp_path / "data")
        os.utime(next(cache.place.glob(f"cluster-{number}.*")), (number, number))  # a file system's clock may be coarse
    assert {path.name.split(".")[0] for path in cache.place.glob("*.tar")} == {"cluster-2", "cluster-3"}


def test_migrations_that_fail_are_not_cached(installation: Installation, trial: Config, tmp_path: Path) -> None:
    """A broken revision breaks the tests that need it, and leaves empty databases and the cache alone."""
    broken = tmp_path / "migrations"
    write_environment(broken, "raise RuntimeError('broken on purpose')")
    config = dataclasses.replace(trial, root=tmp_path, roles=trial.roles_path)
    write_files(tmp_path, {"pyproject.toml": ALEMBIC})
    place = tmp_path / "cache"
    with (
        contextlib.closing(prepared_cluster(installation, config, ClusterCache(place))) as cluster,
        contextlib.closing(databases_on(cluster, config)) as databases,
    ):
        with databases.create(migrated=False).connect() as connection:
            connection.execute("SELECT 1")
        with pytest.raises(HarnessError, match="line 1: RuntimeError: broken on purpose"):
            databases.create(migrated=True)
    assert not list(place.glob("template-*"))


def test_the_key_follows_all_that_the_template_depends_on(
    installation: Installation, trial: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another migration, role, account, build or setting is another archive; another place of the project is not."""
    account = server_account()
    base = cluster_key(installation, account)
    keys = {template_key(base, trial)}
    for name in ("migrations/versions/schema.sql", "migrations/env.py", "roles.sql", "pyproject.toml"):
        root = tmp_path / name.replace("/", "-")
        for path in (*trial.root.rglob("*.*"),):
            copied = root / path.relative_to(trial.root)
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes()) if path.is_file() else None
        moved = dataclasses.replace(trial, root=root)
        assert template_key(base, moved) in keys
        with (root / name).open("a") as file:
            file.write("\n")
        keys.add(template_key(base, moved))
    keys.add(cluster_key(installation, dataclasses.replace(account, name="somebody")))
    keys.add(cluster_key(dataclasses.replace(installation, version="99.1"), account))
    monkeypatch.setitem(SETTINGS, "jit", "on")
    keys.add(cluster_key(installation, account))
    assert len(keys) == 8
