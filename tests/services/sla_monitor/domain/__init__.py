"""Tests of what a promise is."""
