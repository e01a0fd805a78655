"""The database's history, one change a file."""
