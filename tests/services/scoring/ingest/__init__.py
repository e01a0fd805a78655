"""Tests of how events come in."""
