"""Tests of what is derived and counted."""
