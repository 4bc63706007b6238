"""A finding names the line of the model, or else of the revision that made the object."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config import load_config
from harness.findings import Finding, Rule
from harness.schema.places import located

RULE = Rule("no-key", "error", "A table has a key", "rows cannot be distinguished", "add a primary key")

MODELS = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Item(Base):
    __tablename__ = "item"
    __table_args__ = (sa.Index("ix_item_first", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int]

metadata = Base.metadata
tag = sa.Table(
    "tag", metadata,
    sa.Column("label", sa.Text),
)
"""


@pytest.fixture
def shop(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project, whose second revision makes a view that no model declares."""
    (project.path / "shop" / "placed.py").write_text(MODELS.lstrip(), encoding="utf-8")
    path = project.path / "pyproject.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines = ['metadata = "shop.placed:metadata"' if line.startswith("metadata") else line for line in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    view = 'revision = "0002"\ndown_revision = "0001"\n\ndef upgrade():\n    op.execute("CREATE VIEW labels AS ...")\n'
    (project.path / "migrations" / "versions" / "0002_view.py").write_text(view, encoding="utf-8")
    monkeypatch.syspath_prepend(project.path)
    return project.path


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ("public.item", "shop/placed.py:7"),
        ("public.item.owner_id", "shop/placed.py:13"),
        ("public.item.fk_item_owner_id_users", "shop/placed.py:13"),
        ("public.item.ix_item_first", "shop/placed.py:9"),
        ("public.item.unheard_of", "shop/placed.py:7"),
        ("public.tag.label", "shop/placed.py:18"),
        ("column public.item.name type", "shop/placed.py:12"),
        ("GET /items public.item(name)", "shop/placed.py:12"),
        ("Item.owner -> public.item(owner_id)", "shop/placed.py:13"),
        ("view public.labels", "migrations/versions/0002_view.py:5"),
        ("public", ""),
        ("function public.nowhere()", ""),
    ],
)
def test_an_object_is_found_where_it_is_declared(shop: Path, found: str, place: str) -> None:
    """Table, column, index, constraint by its column, relationship, route; a view in its revision; else nothing."""
    [finding] = located([Finding(RULE, found, "it is wrong")], load_config(shop))
    assert finding.place == place


def test_the_place_is_on_the_first_line(shop: Path) -> None:
    """Relative to the project, so that a terminal or an editor opens it."""
    [finding] = located([Finding(RULE, "public.item", "it has none")], load_config(shop))
    assert str(finding).splitlines()[0] == "error: no-key: public.item at shop/placed.py:7"
