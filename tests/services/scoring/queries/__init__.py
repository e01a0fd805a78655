"""Tests of scoring's queries, on a real server."""
