"""The Postgres wire: an observer between app and server that records, delays and breaks what passes."""
