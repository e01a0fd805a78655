"""Tests of what routing does when something arrives."""
