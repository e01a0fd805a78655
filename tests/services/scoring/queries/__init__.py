"""The SQL of scoring, on a real server."""
