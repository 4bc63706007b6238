"""The routes: one file per resource, and the probes."""
