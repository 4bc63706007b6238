"""Postgres for a run: where its programs are, a cluster's life, the roles, and fresh databases."""
