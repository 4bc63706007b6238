"""What a run found, for terminals, JSON, Markdown and an HTML page."""
