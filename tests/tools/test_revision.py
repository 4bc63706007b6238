"""`nox -s revision`: what it writes runs, is listed in head.py, and leaves nothing behind when it is undone."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from harness.config import Config
from harness.errors import HarnessError
from tests.harness.projects import ALEMBIC, harness_table, write_files, write_project
from tools import revision
from tools.head import write_head
from tools.rename import read_name

MIGRATIONS = Path(__file__).parents[2] / "migrations"
PACKAGE = read_name(MIGRATIONS.parent).snake
HEAD = '"""What it is."""\n\nREVISIONS: tuple[str, ...] = (\n)\n'

KINDS = """
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB


class Money(sa.TypeDecorator):
    impl = sa.Numeric(12, 2)
    cache_ok = True

    def __init__(self):
        super().__init__()


class Document(sa.TypeDecorator):
    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(JSONB())


class Point(sa.types.UserDefinedType):
    cache_ok = True
    shown = "Point()"

    def __repr__(self):
        return self.shown

    def get_col_spec(self, **options):
        return "point"


class Unloadable(Point):
    shown = "Point(<here>)"


class Unusable(Point):
    shown = "Point(1)"
"""
ITEM = """
import kinds
from sqlalchemy import ARRAY, Column, Enum, Integer, MetaData, Table

metadata = MetaData()
Table("item", metadata, Column("id", Integer, primary_key=True), {columns})
"""
STATE = 'Enum("open", "it\'s: closed", name="state")'


@pytest.fixture
def shop(tmp_path: Path, harness_config: Config, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A project with the migrations' programs of this one, without a revision; the module `kinds` has its types."""
    config = write_project(tmp_path / "shop", harness_config.roles_path, harness_table() + ALEMBIC, {})
    write_files(config.root, {"src/shop/app/head.py": HEAD, "kinds.py": KINDS})
    for name in ("operations.py", "autogenerate.py", "script.py.mako"):
        shutil.copy(MIGRATIONS / name, config.migrations_path)
    monkeypatch.setattr(revision, "ROOT", config.root)
    monkeypatch.syspath_prepend(config.root)
    monkeypatch.delitem(sys.modules, "kinds", raising=False)
    return config


def declare(shop: Config, columns: str) -> None:
    """Let env.py, which is this project's own, find a table `item` with these columns."""
    text = (MIGRATIONS / "env.py").read_text(encoding="utf-8")
    imported = f"from {PACKAGE}.db import metadata\n"
    assert imported in text
    (shop.migrations_path / "env.py").write_text(text.replace(imported, ITEM.format(columns=columns)))


def revise(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the tool, and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["revision", *arguments])
    try:
        revision.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def written(shop: Config, number: str) -> str:
    """Return the text of a revision."""
    (path,) = (shop.migrations_path / "versions").glob(f"*{number}_*.py")
    return path.read_text(encoding="utf-8")


def listed(shop: Config) -> list[str]:
    """Return the lines of the list in head.py."""
    return re.findall(r"^    (\".*)$", (shop.root / "src/shop/app/head.py").read_text(), re.MULTILINE)


def test_types_of_the_project_are_written_so_that_the_revision_runs(
    shop: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A TypeDecorator as what the database stores, whatever the app makes of it; any other type with its import."""
    declare(shop, 'Column("a", kinds.Money()), Column("b", kinds.Document()), Column("c", kinds.Point())')
    assert revise(monkeypatch, "add", "items") == 0
    text = written(shop, "0001")
    for part in ("'a', sa.Numeric(precision=12, scale=2)", "'b', postgresql.JSONB(", "'c', kinds.Point()"):
        assert part in text
    assert "import kinds\n" in text
    (stem,) = (path.stem for path in (shop.migrations_path / "versions").glob("*.py"))
    assert listed(shop) == [f'"0001",  # {stem}']


def test_enum_types_are_created_once_and_dropped(shop: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a table, an array or a column; in the other direction when the last column is gone."""
    declare(shop, f'Column("a", {STATE}), Column("b", ARRAY({STATE}))')
    assert revise(monkeypatch, "table") == 0
    assert written(shop, "0001").count("CREATE TYPE state AS ENUM ('open', 'it''s\\\\: closed')") == 1
    assert written(shop, "0001").count("DROP TYPE state") == 1
    declare(shop, f'Column("a", {STATE}), Column("c", Enum("x", name="letter", schema="public")), Column("e", {STATE})')
    assert revise(monkeypatch, "column") == 0
    assert "TYPE state" not in written(shop, "0002")
    assert written(shop, "0002").count("CREATE TYPE public.letter AS ENUM ('x')") == 1
    declare(shop, 'Column("d", Enum("y", name="check", native_enum=False))')
    assert revise(monkeypatch, "none") == 0
    upgrade, _, downgrade = written(shop, "0003").partition("def downgrade")
    for name in ("state", "letter"):
        assert f"DROP TYPE {name}" in upgrade
        assert f"CREATE TYPE {name} AS ENUM" in downgrade
    assert "TYPE check" not in written(shop, "0003")
    assert revise(monkeypatch, "nothing") == 0
    assert len(listed(shop)) == 3


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize(
    ("kind", "says"),
    [("Unloadable", "SyntaxError: invalid syntax"), ("Unusable", "TypeError: Point() takes no arguments")],
)
def test_a_revision_that_does_not_run_is_an_error_and_not_listed(
    shop: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str, says: str
) -> None:
    """The file is kept to be corrected, and listed by the next run that finds it correct."""
    declare(shop, f'Column("a", kinds.{kind}())')
    assert revise(monkeypatch, "add items") == 2
    error = capsys.readouterr().err
    assert re.search(rf"/0001_add_items\.py, line \d+: {re.escape(says)}\n  looked at: sa\.Column\('a', kinds", error)
    assert "0001_add_items.py, which was kept, or delete it; then run the same command again" in error
    assert listed(shop) == []
    assert revise(monkeypatch, "add items") == 2
    assert "kept" not in capsys.readouterr().err
    assert listed(shop) == []
    (path,) = (shop.migrations_path / "versions").glob("*.py")
    path.write_text(re.sub(r"kinds\.Point\(.*?\)", "kinds.Point()", path.read_text()))
    assert revise(monkeypatch, "add items") == 0
    assert "models and migrations agree" in capsys.readouterr().out
    assert listed(shop) == [f'"0001",  # {path.stem}']


def test_a_wrong_default_of_a_model_is_not_blamed_on_the_revision_alone(
    shop: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The revision is a copy: after the correction of it alone, the next one would bring the default back."""
    declare(shop, f'Column("state", {STATE}, server_default="OPEN")')
    assert revise(monkeypatch, "add items") == 2
    error = capsys.readouterr().err
    assert "looked at: op.create_table('item',\n  remedy: give the column state a label of state as its def" in error
    assert "\n  remedy: correct " in error
    assert "correct this line" not in error


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_downgrade_that_does_not_run_is_an_error(
    shop: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Autogenerate does not know the type of the column that is dropped, so the downgrade cannot add it again."""
    declare(shop, 'Column("a", kinds.Point())')
    assert revise(monkeypatch, "add items") == 0
    declare(shop, 'Column("b", Integer)')
    assert revise(monkeypatch, "drop a") == 2
    assert "AttributeError: module 'sqlalchemy' has no attribute 'NullType'" in capsys.readouterr().err
    assert len(listed(shop)) == 1


def test_a_broken_earlier_revision_is_not_taken_for_the_new_one(
    shop: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was written, so nothing is said about a file that was kept."""
    declare(shop, 'Column("a", Integer)')
    assert revise(monkeypatch, "add items") == 0
    (path,) = (shop.migrations_path / "versions").glob("*.py")
    path.write_text(path.read_text().replace("op.create_table(", "op.create_tables("))
    declare(shop, 'Column("a", Integer), Column("b", Integer)')
    assert revise(monkeypatch, "add b") == 2
    error = capsys.readouterr().err
    assert "has no attribute 'create_tables'" in error
    assert "kept" not in error


def test_writing_the_list_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    """The lines between the brackets change, conflict markers included; each names the revision's file."""
    path = tmp_path / "head.py"
    path.write_text(HEAD.replace("(\n)", '(\n    "0001",  # a\n<<<<<<< a\n    "0002",\n=======\n>>>>>>> b (x)\n)'))
    write_head(path, {"0001": "a", "0002": "b"})
    assert path.read_text() == HEAD.replace("(\n)", '(\n    "0001",  # a\n    "0002",  # b\n)')


@pytest.mark.parametrize("text", ['HEAD = "0001"\n', None], ids=["another constant", "no file"])
def test_a_file_without_the_list_is_named(tmp_path: Path, text: str | None) -> None:
    """Without the list, the error names the file and what to write into it."""
    path = tmp_path / "head.py"
    if text:
        path.write_text(text)
    with pytest.raises(HarnessError, match=r'head\.py has 0 lists REVISIONS[^$]*REVISIONS = \(\n +"0002",  # b'):
        write_head(path, {"0002": "b"})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], 'python3 run.py revision "add'),
        (["--renumber", "it"], "takes none"),
        (["--help"], "--renumber"),
        (["--renumber"], "run in the project's root"),
        (["add"], "run in the project's root"),
    ],
)
def test_what_cannot_be_done_ends_with_two(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    """Without a message or a project, standard error says what to do; only --help is no error."""
    monkeypatch.setattr(revision, "ROOT", tmp_path)
    assert revise(monkeypatch, *arguments) == (0 if "--help" in arguments else 2)
    assert says in "".join(capsys.readouterr())
