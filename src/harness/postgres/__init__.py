"""A Postgres server: its programs, its cluster in a run directory, and the project's roles."""
