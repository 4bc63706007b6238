"""Values that satisfy CHECK, UNIQUE and EXCLUDE constraints."""
