"""Extensions that a server lacks: which server here has one, and what does without it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.postgres.installations import Installation, installations

LACKING = re.compile(r'extension "([^"]+)" is not available|extension control file "[^"]*/([^/"]+)\.control"')
"""What a server says of CREATE EXTENSION, since PostgreSQL 16 and before."""

UNLOADED = re.compile(r'"?(\w+)"? (?:must be preloaded|(?:must|can only) be loaded via "?shared_preload_libraries)')
"""What an extension says that has to be loaded when the server starts, such as timescaledb."""

WITH_UUIDS = ("pgcrypto", "uuid-ossp")
"""Extensions that are often created for UUIDs only."""

PACKAGES = {
    r"pgcrypto|uuid-ossp|sslinfo|xml2": "postgresql-{major}",
    r"postgis.*|address_standardizer.*": "postgresql-{major}-postgis-3",
    r"vector": "postgresql-{major}-pgvector",
    r"timescaledb": "timescaledb-2-postgresql-{major} (from packagecloud.io/timescale)",
}
"""Patterns of extensions to the package of Debian and Ubuntu that has them."""


def extension_remedies(text: str) -> tuple[str, ...]:
    """Return what to do about a server's error that it lacks an extension, or has not loaded it; else nothing."""
    if found := UNLOADED.search(text):
        preloaded = f"with shared_preload_libraries = '{found[1]}'"
        return (f"start a server {preloaded}, and run pytest on it: --postgresql-host HOST --postgresql-user USER",)
    if not (found := LACKING.search(text)):
        return ()
    name = found[1] or found[2]
    servers = list(installations())
    having = [server for server in servers if server.has_extension(name)]
    major = max((server.major for server in servers if server not in having), default=0)
    return tuple(_remedies(name, servers, having, str(major or "MAJOR")))


def _remedies(name: str, servers: list[Installation], having: list[Installation], major: str) -> Iterator[str]:
    if name in WITH_UUIDS:
        yield "for UUIDs leave it out: gen_random_uuid() is built in"
    for server in having:
        if server == next(each for each in servers if each.major == server.major):
            yield f"take a server that has it: --pg {server.major}, or postgres = {server.major} in [tool.harness]"
        else:
            yield f"take a server that has it: --postgresql-exec {server.program('postgres')}"
    package = next((text for pattern, text in PACKAGES.items() if re.fullmatch(pattern, name)), "")
    if package:
        yield f"install one that has it, on Debian and Ubuntu: apt install {package.format(major=major)}"
    else:
        yield f"install it; on Debian and Ubuntu `apt-cache search postgresql-{major}` lists the packages of extensions"
