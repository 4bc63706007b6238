"""The revisions up to the one that this code needs; `nox -s revision` lists them, so the app never imports Alembic."""

REVISIONS = (
    "0001",  # 2026_11_24_0001_users_and_todos
    "0002",  # 2026_11_24_0002_tags
    "0003",  # 2026_11_24_0003_indexes_of_the_list
    "0004",  # 2026_11_24_0004_created_at_not_null
    "0005",  # 2026_11_24_0005_longer_titles
    "0006",  # 2026_11_24_0006_tags_in_use
)
