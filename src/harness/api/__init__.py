"""The API suite: the real app over real HTTP, with the database as a black box."""
