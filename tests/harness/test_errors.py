"""The harness's errors name the value, what was looked at, and a remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config as AlembicConfig
from psycopg.conninfo import conninfo_to_dict

from harness.__main__ import main
from harness.api.client import Client
from harness.config import Config
from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.migrations.history import History
from harness.migrations.inspection import Inspection
from harness.migrations.project import find_project
from harness.postgres.address import Address
from harness.postgres.roles import Roles
from harness.schema.drift.drift import declared
from harness.schema.exemptions import read_exemptions
from harness.seed import fill
from tests.harness.projects import write_environment, write_files, write_revision


def refused(call: Callable[[], object]) -> str:
    """The text of the refusal."""
    with pytest.raises(HarnessError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("files", "named", "says"),
    [
        ({}, None, "looked at: alembic.ini and pyproject.toml"),
        ({"pyproject.toml": "[tool.other]\n"}, None, "has no [tool.alembic] table"),
        ({"pyproject.toml": "[tool.alembic\n"}, None, "cannot be read"),
        ({}, "other.ini", "there is no such file"),
    ],
)
def test_a_directory_without_an_alembic_project_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str], named: str | None, says: str
) -> None:
    """The error says what was looked for, and where."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, files)
    text = refused(lambda: find_project(Path(named) if named else None))
    assert says in text
    assert (named or str(tmp_path)) in text


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A history of one revision."""
    config = write_environment(tmp_path / "migrations")
    write_revision(tmp_path / "migrations" / "versions", "0001")
    return History(config, tmp_path)


@pytest.mark.parametrize(
    ("down", "names", "says"),
    [(None, "import nowhere_to_be_found", "nowhere_to_be_found"), ("0000", "", "0000")],
)
def test_revisions_that_cannot_be_read_are_no_traceback(
    history: History, down: str | None, names: str, says: str
) -> None:
    """A broken import, or a revision that is not there, is named with the project's place."""
    write_revision(history.root / "migrations" / "versions", "0001", down, names=names)
    found = refused(lambda: history.revisions)
    assert says in found
    assert str(history.root) in found


def test_a_revisions_rows_of_another_shape_name_its_file(history: History) -> None:
    """`seed` is looked at before a table is, for the run to end with 2 and not with findings."""
    path = write_revision(history.root / "migrations" / "versions", "0001", names="seed = [1]")
    nothing: Any = None
    inspection = Inspection(history, nothing, history.revisions[0], "base", 1)
    assert f"{path}: seed: [1] is not a dictionary of tables" in refused(lambda: inspection.fill(nothing))


def test_a_place_without_revisions_is_named(tmp_path: Path) -> None:
    """The directory that [tool.alembic] names does not exist."""
    config = AlembicConfig(toml_file=None)
    config.set_main_option("script_location", str(tmp_path / "absent"))
    assert str(tmp_path / "absent") in refused(lambda: History(config, tmp_path).revisions)


def test_what_is_no_revision_cannot_be_judged(history: History) -> None:
    """Alembic's own word for the place before the first one finds none."""
    assert "there is no revision 'base'" in refused(lambda: history.chosen("base"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("exemptions = 1", "holds no exemptions"),
        ("[exemptions", "holds no exemptions"),
        ("", "holds no exemptions"),
    ],
)
def test_a_file_of_exemptions_holds_nothing_else(tmp_path: Path, text: str, says: str) -> None:
    """What is wrong in it is said with the file's name."""
    path = tmp_path / "exempt.toml"
    path.write_text(text, encoding="utf-8")
    found = refused(lambda: read_exemptions(path))
    assert says in found
    assert str(path) in found


def test_two_formats_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output holds one document."""
    assert main(["schema", "postgresql://x@127.0.0.1:1/x", "--todo", "--json"]) == 2
    assert "ask for one of the two" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["db.example", "::1", "/run/postgresql"])
def test_an_address_is_read_back_as_it_was_written(host: str) -> None:
    """libpq and SQLAlchemy take it apart into the same host, port, user and password, an IPv6 address too."""
    address = Address(host, 5433, "ann@home", "a/b:c")
    parts = {"host": host, "port": "5433", "user": "ann@home", "password": "a/b:c", "dbname": "my db"}
    assert conninfo_to_dict(address.dsn("my db")) == parts
    url = address.url("my db")
    assert (url.host or url.query["host"]) == host
    assert str(url.port or url.query["port"]) == "5433"


def test_an_unknown_role_is_refused_with_the_known_ones(database: Database) -> None:
    """`as_role` says what it takes."""
    text = refused(lambda: database.as_role("owner").dsn)
    assert "'owner'" in text
    assert "readonly" in text


@pytest.mark.parametrize("text", [None, "SELECT nonsense FROM nowhere"])
def test_roles_that_cannot_be_made_name_their_file(
    text: str | None, tmp_path: Path, empty_database: Database, harness_config: Config
) -> None:
    """No file, or one that the server refuses: its path, the database, and the reason."""
    path = tmp_path / "roles.sql"
    if text:
        path.write_text(text, encoding="utf-8")
    parts: dict[str, Any] = conninfo_to_dict(empty_database.as_role("superuser").dsn)
    server = Address(parts["host"], int(parts["port"]), parts["user"], parts.get("password"))
    found = refused(lambda: Roles(path, harness_config.role_prefix).apply(server, empty_database.name))
    assert str(path) in found
    assert empty_database.name in found


def test_models_that_the_server_refuses_are_no_traceback(empty_database: Database) -> None:
    """The server's own words say which table it cannot make."""
    metadata = sa.MetaData(schema="apart")
    sa.Table("item", metadata, sa.Column("id", sa.Integer, server_default=sa.text("no_such_function()")))
    assert "no_such_function" in refused(lambda: declared(metadata, empty_database.engine))


def test_models_may_use_schemas_and_extensions(empty_database: Database) -> None:
    """Both are made before the tables, since models have no word for either."""
    metadata = sa.MetaData(schema="apart")
    sa.Table("item", metadata, sa.Column("id", sa.Integer, primary_key=True))
    snapshot = declared(metadata, empty_database.as_role("superuser").engine, ["citext"])
    assert [table.qualified for table in snapshot.tables] == ["apart.item"]


def test_a_negative_number_of_rows_is_refused(database: Database) -> None:
    """The number is in the refusal."""
    with database.connect() as connection:
        assert "-1 rows" in refused(lambda: fill(connection, rows=-1))


def test_a_client_refuses_what_a_shared_app_cannot_give(api: Client) -> None:
    """Before a request there is no last one, and the server is everyone's; no rows are no statement."""
    assert "has made none" in refused(lambda: api.last)
    assert "own_cluster" in refused(lambda: api.server)
    assert api.seed("nowhere", []) == []
