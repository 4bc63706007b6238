"""Which field of a request a constraint of the database judges: the API answers 409 and names it."""

FIELDS = {"uq_users_email": "email", "fk_todos_owner_id_users": "owner_id", "fk_tags_owner_id_users": "owner_id"}
