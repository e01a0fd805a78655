"""Tests of routing: what is pure."""
