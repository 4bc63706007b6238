"""The difference between models and migrations, and the code that closes it."""
