"""Tests of what the documents tell people to do."""
