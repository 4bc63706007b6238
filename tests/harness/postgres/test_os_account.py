"""Which account runs the server, and where its files are."""

from __future__ import annotations

import contextlib
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.postgres import os_account as accounts
from harness.postgres.installations import Installation
from harness.postgres.os_account import Account, cache_directory, readable_programs, server_account, user_cache
from harness.postgres.run_directory import open_run_directory
from harness.postgres.server import Cluster
from tests.harness.majors import MAJORS

ELSEWHERE = (Path("/var/cache/pg-harness"), Path(f"/var/tmp/pg-harness-{os.geteuid()}"))


def _mine() -> Account:
    return Account("me", os.getuid(), os.getgid(), foreign=False)


def test_the_server_never_runs_as_root() -> None:
    """Root's server is another account's; anybody else's is their own."""
    account = server_account()
    assert account.uid != 0
    assert account.foreign is (os.geteuid() == 0)


def test_root_without_another_account_gets_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the accounts that were looked for, and a remedy."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "CANDIDATES", ("no-such-account-1", "no-such-account-2"))
    with pytest.raises(HarnessError, match=r"no-such-account-1, no-such-account-2[^$]*useradd"):
        server_account()


def test_programs_that_the_account_cannot_read_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation below a closed home is copied into the cache with its libraries, and the copy is used again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    installation = tmp_path / "closed" / "package" / "pg"
    for name in ("bin/postgres", "lib/libpq.so", "share/postgres.bki"):
        (installation / name).parent.mkdir(parents=True, exist_ok=True)
        (installation / name).write_text(name)
    reaches = Account.reaches
    monkeypatch.setattr(
        Account, "reaches", lambda self, path, **how: "closed" not in str(path) and reaches(self, path, **how)
    )
    copied = readable_programs(installation / "bin", "18.1", _mine())
    assert "closed" not in str(copied)
    assert (copied.parent / "lib" / "libpq.so").read_text() == "lib/libpq.so"
    (copied / "marker").touch()
    again = readable_programs(installation / "bin", "18.1", _mine())
    assert again == copied
    assert (again / "marker").exists()


def test_no_place_for_a_cache_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error names every place that was tried, and what to set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(Account, "reaches", lambda self, path, **how: False)
    with pytest.raises(HarnessError, match=f"(?s){tmp_path}.*XDG_CACHE_HOME"):
        cache_directory(_mine())


@pytest.mark.integration
@pytest.mark.parametrize("installation", MAJORS)
def test_an_account_without_a_name_runs_a_server(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker run --user 12345`: initdb as it is refuses a uid that /etc/passwd does not have."""
    root = os.geteuid() == 0
    account = Account("12345", 12345 if root else os.geteuid(), os.getegid(), foreign=root, named=False)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        monkeypatch.setenv("XDG_CACHE_HOME", place)
        bindir = readable_programs(installation.bindir, installation.version, account)
        assert bindir.is_relative_to(place)
        runnable = Installation(bindir, installation.version, installation.source)
        with contextlib.closing(Cluster(runnable, account, open_run_directory(account))) as cluster:
            cluster.initialise()
            cluster.start()
            with cluster.address.connect() as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("postgres",)


def test_a_uid_without_an_entry_is_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number is its name."""
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    account = server_account()
    assert (account.name, account.uid, account.named, account.foreign) == ("12345", 12345, False, False)


def test_the_cache_needs_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HOME Python asks for the uid's entry, which may be missing."""
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    assert user_cache() in ELSEWHERE


@pytest.mark.parametrize("home", ["/proc", "/dev/null", "/sys/user"])
def test_a_home_that_cannot_be_written_costs_no_cache(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is then in another directory, which is this user's alone."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    assert user_cache() in ELSEWHERE
