"""HTTP: one file per resource, the probes, and problem details for every error."""
