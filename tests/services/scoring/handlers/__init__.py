"""Tests of scoring's handlers."""
