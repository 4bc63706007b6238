"""`python -m harness schema` judges databases that belong to no project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from harness.__main__ import main
from harness.databases.databases import Database

TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY, name text);
CREATE TABLE child (id bigint PRIMARY KEY, name text, parent_id bigint REFERENCES parent);
CREATE TABLE flags (id bigint PRIMARY KEY, name text, done boolean);
"""


@pytest.fixture
def filled(empty_database: Database) -> Database:
    """A database with one error and some warnings."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute(TABLES)
    return empty_database


def test_json_is_one_object_on_stdout_also_when_something_is_found(
    filled: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads stdout as it is; the exit code tells that there are findings."""
    assert main(["schema", filled.as_role("readonly").dsn, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"postgres", "findings"}
    first = document["findings"][0]
    assert first.keys() == {"rule", "severity", "object", "message", "why", "fix"}
    assert first["rule"] == "foreign-key-without-index"
    assert first["object"] == "public.child.child_parent_id_fkey"
    assert 'op.create_index("ix_child_parent_id", "child", ["parent_id"])' in first["fix"]


def test_it_runs_anywhere_and_reads_no_project(filled: Database, tmp_path: Path) -> None:
    """In an empty directory, as another process, without the exemptions of a project."""
    paths = {"PYTHONPATH": str(Path(__file__).parents[3] / "src"), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "schema", filled.as_role("readonly").dsn],
        cwd=tmp_path,
        env=paths,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "error: foreign-key-without-index: public.child.child_parent_id_fkey\n" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_found_today_can_be_exempted(
    filled: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An old project starts clean, and any new finding fails."""
    dsn = filled.as_role("readonly").dsn
    assert main(["schema", dsn, "--todo"]) == 0
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["schema", dsn, "--strict", "--exempt", str(accepted)]) == 0
    with filled.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE late (a int, b money)")
    capsys.readouterr()
    assert main(["schema", dsn, "--exempt", str(accepted), "--json"]) == 1
    found = {(item["rule"], item["object"]) for item in json.loads(capsys.readouterr().out)["findings"]}
    assert found == {
        ("table-without-primary-key", "public.late"),
        ("column-money", "public.late.b"),
        ("table-all-nullable", "public.late"),
    }


def test_a_stale_exemption_is_found(filled: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list of exemptions never grows beyond what is true."""
    dsn = filled.as_role("readonly").dsn
    main(["schema", dsn, "--todo"])
    accepted = tmp_path / "accepted.toml"
    accepted.write_text(capsys.readouterr().out, encoding="utf-8")
    with filled.connect(autocommit=True) as connection:
        connection.execute("CREATE INDEX ON child (parent_id)")
    assert main(["schema", dsn, "--exempt", str(accepted), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [item["rule"] for item in found] == ["stale-exemption"]
    assert found[0]["object"] == "foreign-key-without-index:public.child.child_parent_id_fkey"


def test_only_the_named_rules_run_and_warnings_fail_when_strict(filled: Database) -> None:
    """`--rules` also runs optional ones; `--strict` decides whether a warning is a failure."""
    dsn = filled.as_role("readonly").dsn
    assert main(["schema", dsn, "--rules", "column-boolean-nullable"]) == 0
    assert main(["schema", dsn, "--rules", "column-boolean-nullable", "--strict"]) == 1
    assert main(["schema", dsn, "--rules", "table-without-comment", "--strict"]) == 1
    assert main(["schema", dsn, "--rules", "column-money"]) == 0


def test_a_role_that_could_write_is_noted(filled: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """Read from the catalogue, not tried; the findings are the same."""
    assert main(["schema", filled.as_role("readonly").dsn]) == 1
    modest = capsys.readouterr()
    assert main(["schema", filled.as_role("app").dsn]) == 1
    able = capsys.readouterr()
    assert modest.err == ""
    assert able.err.startswith("note: nothing was written, though ")
    assert able.out == modest.out


def test_a_role_without_any_right_sees_the_same_findings(filled: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """CONNECT is enough: the catalogue is open to all."""
    assert main(["schema", filled.as_role("superuser").dsn, "--json"]) == 1
    most = capsys.readouterr().out
    with filled.as_role("superuser").connect(autocommit=True) as connection:
        name = filled.roles.name("readonly")
        connection.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "{name}"')
        connection.execute(f'REVOKE ALL ON SCHEMA public FROM "{name}"')
    assert main(["schema", filled.as_role("readonly").dsn, "--json"]) == 1
    assert capsys.readouterr().out == most


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["postgresql://nobody@127.0.0.1:1/none"], "Connection refused"),
        (["user:secret@host"], "neither a URI nor key=value pairs"),
        (["postgresql://x@127.0.0.1:1/x", "--rules", "foreign-key-index"], "foreign-key-without-index"),
        (["postgresql://x@127.0.0.1:1/x", "--exempt", "/nowhere.toml"], "/nowhere.toml"),
    ],
)
def test_errors_are_a_few_lines_without_a_traceback(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, nothing on stdout, no traceback, and no password."""
    assert main(["schema", *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert says in output.err
    assert output.err.count("\n") <= 3
    assert "secret" not in output.err


def test_an_old_server_is_refused_in_one_line(
    filled: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A catalogue that the queries do not know is not read."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda _: 130012))
    assert main(["schema", filled.dsn]) == 2
    assert "14 or later" in capsys.readouterr().err
