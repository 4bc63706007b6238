"""The statements that a database runs in production (pg_stat_statements), with their endpoints and indexes."""
