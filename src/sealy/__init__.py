"""A to-do service: users, their todos, and the tags on them."""
