"""The one place that reads or writes SQL text."""
