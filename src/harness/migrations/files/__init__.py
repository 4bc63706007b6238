"""Revision files as text: what they say, where values come from, and what git knows of them."""
