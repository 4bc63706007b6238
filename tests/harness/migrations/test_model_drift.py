"""What autogenerate would write, and what it does not see, is found with the code to paste."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.config import Config

from harness.databases.databases import Database
from harness.errors import HarnessError
from harness.examples import Example, examples_of
from harness.findings import Finding
from harness.migrations.model_drift import model_drift, unseen_models
from tests.harness.projects import write_environment, write_files, write_revision

Drift = Callable[[sa.MetaData], list[Finding]]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """An Alembic project of one revision, which makes nothing."""
    config = write_environment(tmp_path / "migrations")
    write_revision(tmp_path / "migrations" / "versions", "a")
    return config


@pytest.fixture
def drift(config: Config, empty_database: Database) -> Drift:
    """The drift between some models and a database that holds the table `item`."""
    with empty_database.connect() as connection:
        connection.execute("CREATE TABLE item (id bigint PRIMARY KEY, name text)")
    config.attributes["connection"] = empty_database.engine
    config.attributes["metadata"] = sa.MetaData()
    alembic.command.upgrade(config, "head")

    def judge(metadata: sa.MetaData) -> list[Finding]:
        config.attributes["metadata"] = metadata
        return model_drift(empty_database.engine, config)

    return judge


def item(*more: sa.schema.SchemaItem, name: str = "item") -> sa.MetaData:
    """Models with the table as it is, and what else is given."""
    metadata = sa.MetaData()
    sa.Table(name, metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.Text), *more)
    return metadata


@pytest.mark.parametrize("example", examples_of("model-drift"), ids=lambda example: example.id)
def test_an_example_is_judged(example: Example, drift: Drift) -> None:
    """Found where the models say something else, and only there."""
    names: dict[str, Any] = {"sa": sa}
    exec(example.code, names)
    assert bool(drift(names["metadata"])) is example.breaks


def test_models_that_say_what_the_database_holds_are_clean(drift: Drift) -> None:
    """Nothing to generate, nothing to find."""
    assert drift(item()) == []


def test_each_operation_is_a_finding_with_its_code(drift: Drift) -> None:
    """A column and an index are two findings, each named exactly, each with the code to paste."""
    metadata = item(sa.Column("due", sa.Date), sa.Index("ix_item_due", "due"))
    found = {finding.object: finding.fix for finding in drift(metadata)}
    assert found == {
        "public.item.due": "op.add_column('item', sa.Column('due', sa.Date(), nullable=True))",
        "public.item.ix_item_due": "op.create_index('ix_item_due', 'item', ['due'], unique=False)",
    }


def test_a_table_without_a_model_and_a_model_without_a_table_are_found(drift: Drift) -> None:
    """A forgotten model shows as a table that would be dropped."""
    found = {finding.object: finding.fix.partition("(")[0] for finding in drift(item(name="other"))}
    assert found == {"public.item": "op.drop_table", "public.other": "op.create_table"}


def test_a_changed_type_is_found(drift: Drift) -> None:
    """The operation names the column."""
    metadata = sa.MetaData()
    sa.Table("item", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.BigInteger))
    [finding] = drift(metadata)
    assert finding.object == "public.item.name"
    assert finding.fix.startswith("op.alter_column('item', 'name',")


def test_a_database_below_head_is_not_compared(config: Config, empty_database: Database) -> None:
    """Otherwise every pending revision would look like drift."""
    config.attributes["metadata"] = sa.MetaData()
    with pytest.raises(HarnessError, match="Target database is not up to date"):
        model_drift(empty_database.engine, config)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `shop.db` that imports one of its two models, and a module of the app that must not run."""
    files = {
        "shop/__init__.py": "",
        "shop/server.py": "raise RuntimeError('not a model')",
        "shop/db/__init__.py": "from shop.db.base import metadata\nfrom shop.db import users",
        "shop/db/base.py": "import sqlalchemy\nmetadata = sqlalchemy.MetaData()",
        "shop/db/users.py": "import sqlalchemy\nfrom shop.db.base import metadata\nsqlalchemy.Table('users', metadata)",
        "shop/db/tags.py": "import sqlalchemy\nfrom shop.db.base import metadata\nsqlalchemy.Table('tags', metadata)",
        "shop/db/__main__.py": "raise SystemExit('must not run')",
    }
    write_files(tmp_path, files)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "shop" / "db"


def test_a_model_that_nothing_imports_is_found(package: Path) -> None:
    """Autogenerate would not see its table; the fix is the import."""
    [finding] = unseen_models("shop.db:metadata")
    assert (finding.object, finding.fix) == ("public.tags", "import shop.db.tags  # in shop.db")


def test_models_that_are_all_imported_are_clean(package: Path) -> None:
    """Neither the rest of the app nor a `__main__` is imported to find out."""
    with (package / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom shop.db import tags\n")
    assert unseen_models("shop.db:metadata") == []


def test_a_module_of_the_models_that_cannot_be_imported_is_named(package: Path) -> None:
    """What Python says is in the message."""
    (package / "broken.py").write_text("import nowhere_to_be_found", encoding="utf-8")
    with pytest.raises(HarnessError, match=r"package of shop.db:metadata cannot be imported(?s:.)*nowhere_to_be_found"):
        unseen_models("shop.db:metadata")
