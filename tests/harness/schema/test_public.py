"""Every finding in two well-known schemas is expected and explained."""

# ruff: noqa: E501 - names of objects, one list a rule
from __future__ import annotations

from pathlib import Path

import pytest

import harness.schema.rules  # noqa: F401 - registers the rules
from harness.catalog import read_snapshot
from harness.databases.databases import Database
from harness.schema.options import Options, findings

PUBLIC = Path(__file__).parent / "public"

SERIALS = "address.address_id category.category_id city.city_id country.country_id customer.customer_id film.film_id inventory.inventory_id language.language_id rental.rental_id staff.staff_id store.store_id"
RENTAL = {
    "foreign-key-without-index": (
        (
            "Nobody indexed these. Three near misses: inventory has (store_id, film_id), which serves store_id alone; "
            "film_category has its key (film_id, category_id); the unique index of rental ends in customer_id. The one "
            "index on payment lies on one partition, so the partitioned table has none"
        ),
        (
            "film.film_original_language_id_fkey film_category.film_category_category_id_fkey "
            "inventory.inventory_film_id_fkey payment.payment_customer_id_fkey payment.payment_rental_id_fkey "
            "payment.payment_staff_id_fkey rental.rental_customer_id_fkey rental.rental_staff_id_fkey "
            "staff.staff_address_id_fkey staff.staff_store_id_fkey store.store_address_id_fkey"
        ),
    ),
    "foreign-key-cycle": (
        "A store needs a manager, a manager needs a store, and neither may be null or wait for the commit",
        "store.store_manager_fkey",
    ),
    "table-without-primary-key": ("The partitioned table has none; its partitions are not counted again", "payment"),
    "primary-key-too-small": ("32 bits, from a serial or from a sequence by hand", f"actor.actor_id {SERIALS}"),
    "column-serial": ("A serial owns its sequence; actor's sequence is nobody's, so it is no serial", SERIALS),
    "sequence-unowned": ("CREATE SEQUENCE by hand, and no OWNED BY", "actor.actor_id"),
    "sequence-type-mismatch": ("CREATE SEQUENCE counts in bigint, the column is integer", "actor.actor_id"),
    "column-timestamp-without-time-zone": (
        "The oldest two tables; the others know their zone",
        "actor.last_update category.last_update",
    ),
    "column-varchar-n": ("varchar with a length", "actor.first_name actor.last_name category.name"),
    "column-char-n": ("char(20), padded with blanks", "language.name"),
    "matview-without-unique-index": ("It cannot be refreshed while it is read", "rental_by_category"),
    "security-definer-without-search-path": ("Runs as its owner on the caller's path", "rewards_report(integer)"),
    "security-definer-public-execute": ("And everyone may run it", "rewards_report(integer)"),
}
FORUM = {
    "foreign-key-missing": (
        (
            "The framework keeps references in code only. Not found, by the rule's own terms: bookmarks.user_id is bigint "
            "and users.id is not; topics.category_id has the plural categories; badge_posts is a view"
        ),
        (
            "badge_posts_backup.post_id categories.topic_id categories.user_id group_users.group_id group_users.user_id "
            "notifications.topic_id notifications.user_id post_actions.post_id post_actions.user_id "
            "post_custom_fields.post_id posts.topic_id posts.user_id topic_tags.tag_id topic_tags.topic_id topics.user_id "
            "user_emails.user_id user_profiles.user_id user_stats.user_id"
        ),
    ),
    "primary-key-too-small": (
        "serial; bookmarks and notifications are bigserial by now",
        (
            "categories.id group_users.id groups.id post_actions.id post_custom_fields.id posts.id site_settings.id "
            "tags.id topic_tags.id topics.id user_emails.id users.id"
        ),
    ),
    "column-serial": (
        "serial and bigserial",
        (
            "bookmarks.id categories.id group_users.id groups.id notifications.id post_actions.id post_custom_fields.id "
            "posts.id site_settings.id tags.id topic_tags.id topics.id user_emails.id users.id"
        ),
    ),
    "column-timestamp-without-time-zone": (
        "The framework writes UTC and does not say so",
        (
            "categories.created_at notifications.created_at post_actions.created_at post_actions.deleted_at "
            "posts.created_at posts.deleted_at topics.bumped_at topics.created_at topics.deleted_at user_emails.created_at "
            "user_emails.updated_at users.created_at users.last_seen_at users.updated_at"
        ),
    ),
    "column-varchar-n": (
        "A length in the type; varchar without one is text and passes",
        (
            "bookmarks.name categories.name notifications.data post_custom_fields.name user_emails.email users.username "
            "users.username_lower"
        ),
    ),
    "column-should-be-citext": (
        (
            "A second column in lower case keeps names apart: citext needs only one. user_emails.email passes, unique by "
            "lower()"
        ),
        "users.username users.username_lower",
    ),
    "column-boolean-nullable": ("A default alone does not forbid null", "users.moderator"),
    "index-on-boolean": (
        "Half of all notifications are behind each value",
        "notifications.index_notifications_on_read",
    ),
    "index-redundant": ("The unique (topic_id, post_number) begins with it", "posts.index_posts_on_topic_id"),
    "unique-lets-nulls-through": (
        "Both parts of the polymorphic reference may be null",
        "bookmarks.idx_bookmarks_unique",
    ),
    "polymorphic-reference": ("The type says which table the id points into", "bookmarks.bookmarkable_id"),
    "name-needs-quotes": ("A word of SQL", "user_emails.primary"),
    "table-without-primary-key": ("A copy that somebody left behind", "badge_posts_backup"),
    "table-all-nullable": ("The same copy", "badge_posts_backup"),
}


@pytest.mark.parametrize(("name", "expected"), [("rental", RENTAL), ("forum", FORUM)])
def test_every_finding_in_a_well_known_schema_is_explained(
    empty_database: Database, name: str, expected: dict[str, tuple[str, str]]
) -> None:
    """Nothing more is found than a reader of the schema would agree with, and nothing less."""
    with empty_database.connect(autocommit=True) as connection:
        connection.execute((PUBLIC / f"{name}.sql").read_bytes())
        snapshot = read_snapshot(connection)
    assert len(snapshot.roots) >= 15
    found: dict[str, list[str]] = {}
    for finding in findings(snapshot, Options()):
        found.setdefault(finding.rule.id, []).append(finding.object.removeprefix("public."))
    assert {rule: sorted(objects) for rule, objects in found.items()} == {
        rule: sorted(objects.split()) for rule, (_, objects) in expected.items()
    }
