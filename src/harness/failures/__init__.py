"""Failures as pytest prints them, and the logs of the tests that failed."""
