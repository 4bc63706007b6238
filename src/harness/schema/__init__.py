"""The schema suite: rules over a snapshot, drift between models and migrations, coverage of joins and filters."""
