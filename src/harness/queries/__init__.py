"""The API suite's judges: what a request costs on the wire, how that grows, and what a failing database does to it."""
