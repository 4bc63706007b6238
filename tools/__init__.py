"""Scripts behind nox sessions."""
