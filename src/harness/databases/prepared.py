"""A run's cluster with the migrated template: from the cache, or made and then cached."""

from __future__ import annotations

import contextlib
import signal

from harness.config import Config
from harness.databases.cache import ClusterCache, cluster_key, template_key
from harness.databases.databases import Databases
from harness.errors import HarnessError
from harness.postgres.installations import Installation
from harness.postgres.roles import Roles
from harness.postgres.server import Cluster, new_cluster, start_cluster


def databases_on(cluster: Cluster, config: Config, *, alone: bool = False) -> Databases:
    """Return the databases of the harness's own cluster; with `alone` it serves a single test."""
    roles = Roles(config.roles_path, config.role_prefix)
    return Databases(cluster.address, config, roles, "test", cluster=cluster, alone=alone)


def prepared_cluster(installation: Installation, config: Config, cache: ClusterCache | None) -> Cluster:
    """Start a cluster of `installation`, with the template of `config` unless its migrations fail.

    Raises:
        HarnessError: when the server cannot be initialised or started.
    """
    if cache is None:
        return start_cluster(installation)
    cluster = new_cluster(installation)
    try:
        if not _restored(cluster, cache, _key(cluster, config)):
            with cache.alone():
                if not _restored(cluster, cache, _key(cluster, config)):
                    _make(cluster, config, cache)
    except BaseException:
        cluster.close()
        raise
    return cluster


def _key(cluster: Cluster, config: Config) -> str:
    return template_key(cluster_key(cluster.installation, cluster.account), config)


def _restored(cluster: Cluster, cache: ClusterCache, key: str) -> bool:
    """Start from an archive; return False if there is none, or none that a server starts from."""
    if not cache.restore(key, cluster.account, cluster.run.data):
        return False
    try:
        cluster.start()
    except HarnessError:
        cache.discard(key)
        cluster.wipe()
        return False
    return True


def _make(cluster: Cluster, config: Config, cache: ClusterCache) -> None:
    """Initialise, migrate, and cache both; note why the migrations fail, if they do."""
    base = cluster_key(cluster.installation, cluster.account)
    if not cache.restore(base, cluster.account, cluster.run.data):
        cluster.initialise()
        if cache.holds("template"):  # the migrations change often: save initdb the next time
            cache.store(base, cluster.run.data)
    cluster.start()
    with contextlib.closing(databases_on(cluster, config)) as databases:
        try:
            databases.template(migrated=True)
        except HarnessError as error:
            cluster.failure = error
            return
    cluster.stop(signal.SIGINT)
    cache.store(_key(cluster, config), cluster.run.data)
    cluster.start()
