"""Rows that refer to rows: table order, parents, cycles and partitions."""
