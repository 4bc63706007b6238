"""Values for columns: by type, by name and by the constants of a condition."""
