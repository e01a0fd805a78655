"""Tests of routing's queries."""
