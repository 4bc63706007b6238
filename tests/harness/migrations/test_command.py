"""`python -m harness migrations` judges any Alembic project on its own server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import alembic.command
import alembic.config
import pytest

from harness.__main__ import main
from harness.postgres.server import Cluster
from tests.harness.projects import write_revision

pytestmark = pytest.mark.slow


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as `alembic init` leaves it, with production's address in its ini file and two revisions."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "shop"
    root.mkdir()
    config = alembic.config.Config(str(root / "alembic.ini"), stdout=sys.stderr)
    alembic.command.init(config, str(root / "alembic"))
    ini = (root / "alembic.ini").read_text(encoding="utf-8")
    address = "sqlalchemy.url = postgresql://app@db.invalid/production"
    lines = [address if line.startswith("sqlalchemy.url") else line for line in ini.splitlines()]
    (root / "alembic.ini").write_text("\n".join(lines), encoding="utf-8")
    table = (
        'op.create_table("users", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("email", sa.Text()))'
    )
    versions, build = root / "alembic" / "versions", 'op.create_index("ix_email", "users", ["email"])'
    write_revision(versions, "a1", None, f'print("a revision may print")\n{table}', 'op.drop_table("users")')
    write_revision(versions, "a2", "a1", build, 'op.drop_index("ix_email")')
    return root


def judge(cluster: Cluster, *arguments: object) -> int:
    """Run the command on the Postgres of this run."""
    return main(["migrations", "--postgresql-exec", cluster.installation.program("postgres"), *map(str, arguments)])


def test_a_foreign_project_is_judged(shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Its env.py takes sqlalchemy.url, which is the throw-away server's: production is never asked."""
    assert judge(cluster, "--config", shop / "alembic.ini") == 1
    out = capsys.readouterr().out
    assert "error: index-build-blocking: public.users.ix_email at alembic/versions/a2.py:10\n" in out
    assert "error: no-lock-timeout: public.users at alembic/versions/a2.py:10\n" in out
    assert "2 revisions on PostgreSQL" in out


def test_json_is_one_object_on_stdout(shop: Path, cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever revisions print and Alembic logs goes to stderr."""
    assert judge(cluster, "--config", shop / "alembic.ini", "--json") == 1
    out, err = capfd.readouterr()
    document = json.loads(out)
    assert set(document) == {"postgres", "findings", "revisions"}
    assert document["postgres"] == cluster.installation.version
    finding = next(item for item in document["findings"] if item["rule"] == "index-build-blocking")
    assert {"rule", "severity", "revision", "object", "statement", "message", "fix"} <= set(finding)
    assert (finding["file"], finding["line"]) == ("alembic/versions/a2.py", 10)
    assert (finding["severity"], finding["revision"]) == ("error", "a2")
    assert [item["revision"] for item in document["revisions"]] == ["a1", "a2"]
    assert document["revisions"][1]["statements"][0]["locks"][0]["mode"] == "ShareLock"
    assert document["revisions"][1]["downgrade"]["tried"] is True
    assert "a revision may print" in err


@pytest.mark.parametrize(
    ("asked", "judged"), [("a1", ["a1"]), ("a2:", ["a2"]), (":a1", ["a1"]), ("a1:a2", ["a1", "a2"])]
)
def test_some_revisions_can_be_chosen(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str], asked: str, judged: list[str]
) -> None:
    """REV or FIRST:LAST, either end open."""
    judge(cluster, "--config", shop / "alembic.ini", "--json", asked)
    assert [item["revision"] for item in json.loads(capsys.readouterr().out)["revisions"]] == judged


def test_a_clean_history_ends_with_zero(shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and the table of revisions."""
    assert judge(cluster, "--config", shop / "alembic.ini", "a1") == 0
    assert "a1" in capsys.readouterr().out


def test_an_unchanged_history_is_not_traced_again(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second run says so, and finds the same."""
    judge(cluster, "--config", shop / "alembic.ini")
    first = capsys.readouterr().out
    judge(cluster, "--config", shop / "alembic.ini")
    second = capsys.readouterr()
    assert "a2: unchanged, not traced again" in second.err
    assert second.out == first


def test_a_finding_of_the_file_and_its_exemption_count(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a reader sees is found too, exemptions cover both, and a stale one fails."""
    path = shop / "alembic" / "versions" / "a2.py"
    reason = "the table holds forty rows in production"
    accepted = ["index-build-blocking:public.users.ix_email", "no-lock-timeout:public.users", "drop-table:public.users"]
    exemptions = dict.fromkeys([*accepted, "drop-colunm:public.users.email"], reason)
    path.write_text(path.read_text(encoding="utf-8") + f"\nexemptions = {exemptions!r}\n", encoding="utf-8")
    assert judge(cluster, "--config", shop / "alembic.ini", "a2") == 1
    out = capsys.readouterr().out
    assert f"error: stale-exemption: drop-table:public.users at {path}\n  nothing breaks this rule there" in out
    assert "no rule is called drop-colunm: did you mean drop-column?" in out
    assert f"exempted: no-lock-timeout: public.users ({reason})" in out


def test_an_env_that_connects_elsewhere_is_stopped(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address written in env.py is never reached, and the finding says why."""
    env = """
        from alembic import context
        from sqlalchemy import create_engine

        with create_engine("postgresql+psycopg://app@db.invalid/production").connect() as connection:
            context.configure(connection=connection)
            with context.begin_transaction():
                context.run_migrations()
        """
    (shop / "alembic" / "env.py").write_text(dedent(env), encoding="utf-8")
    assert judge(cluster, "--config", shop / "alembic.ini", "a1") == 2
    assert "db.invalid" in capsys.readouterr().err


def test_an_env_can_import_the_app_next_to_its_configuration(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """`prepend_sys_path` of alembic.ini holds for env.py, and for nobody afterwards."""
    (shop / "shop_models_of_this_test.py").write_text("target = None\n", encoding="utf-8")
    env = shop / "alembic" / "env.py"
    env.write_text("import shop_models_of_this_test\n" + env.read_text(encoding="utf-8"), encoding="utf-8")
    before = sys.path.copy()
    assert judge(cluster, "--config", shop / "alembic.ini", "a1") == 0
    assert sys.path == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "absent.ini"], "there is no such file"),
        (["--rows", "1"], "fewer than 2 rows"),
        (["--rows", "1000001"], "give 1000000 at most"),
        (["--config", "pyproject.toml"], "no such file"),
        (["nothing"], "there is no revision 'nothing'"),
        (["a2:a1"], "a1 does not come after a2"),
    ],
)
def test_mistakes_end_with_two(
    shop: Path,
    cluster: Cluster,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    """Exit code 2, what happened, and no traceback."""
    monkeypatch.chdir(shop)
    assert judge(cluster, *arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["b1:a2", "a2:b1"])
def test_a_range_across_two_branches_is_refused(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str], asked: str
) -> None:
    """Neither comes after the other: in one direction nothing would be judged, and that green."""
    write_revision(shop / "alembic" / "versions", "b1", "a1")
    assert judge(cluster, "--config", shop / "alembic.ini", asked) == 2
    assert "does not come after" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [[], ["a2"]])
def test_two_revisions_of_one_id_are_refused(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    """Alembic would only warn, and judge the one that it happens to read last."""
    versions = shop / "alembic" / "versions"
    (versions / "again.py").write_bytes((versions / "a2.py").read_bytes())
    assert judge(cluster, "--config", shop / "alembic.ini", *asked) == 2
    err = capsys.readouterr().err
    assert "revision a2 is in 2 files" in err
    assert "again.py" in err
    assert "a2.py" in err


def test_a_history_without_revisions_is_an_error(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Green would mean that something had been judged."""
    for file in (shop / "alembic" / "versions").glob("*.py"):
        file.unlink()
    assert judge(cluster, "--config", shop / "alembic.ini") == 2
    assert "there are no revisions in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [("def broken(:", "a2.py, line 15"), ("nobody.knows()", "a2.py, line 15: NameError: name 'nobody' is not defined")],
)
def test_a_revision_that_cannot_be_read_ends_with_two(
    shop: Path, cluster: Cluster, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    """File and line instead of a traceback, also where another revision is asked for by its name."""
    with (shop / "alembic" / "versions" / "a2.py").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    assert judge(cluster, "--config", shop / "alembic.ini", "a1") == 2
    assert said in capsys.readouterr().err


def test_the_command_runs_as_a_module(shop: Path, cluster: Cluster) -> None:
    """`python -m harness migrations --json` in a project's root: one object on stdout, also on exit 1."""
    command = [sys.executable, "-m", "harness", "migrations", "--json", "--pg", str(cluster.installation.major)]
    source = str(Path(__file__).parents[3] / "src")
    done = subprocess.run(
        command,
        cwd=shop,
        env={"PYTHONPATH": source, "PATH": "/usr/bin:/bin", "HOME": str(shop)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["findings"]
