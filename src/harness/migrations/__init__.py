"""The migrations suite: revisions read, traced and probed."""
