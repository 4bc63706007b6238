"""The revision that this code needs; `nox -s revision` writes it, so that the app never imports Alembic."""

HEAD = "0006"
