"""How statements reach their rows: plans, filters and joins without an index."""
