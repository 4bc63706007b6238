"""What a database is asked in production: the statements of pg_stat_statements, with their endpoints and indexes."""
