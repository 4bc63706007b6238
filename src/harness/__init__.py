"""A test harness for FastAPI and PostgreSQL: fresh databases, judged migrations, a judged schema, a judged API."""
