"""Every suite's fixtures come from the harness; what only this project needs stands here."""

pytest_plugins = ["harness.plugin", "pytester"]
