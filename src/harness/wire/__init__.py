"""A proxy for the Postgres protocol, which records and delays messages and breaks connections."""
