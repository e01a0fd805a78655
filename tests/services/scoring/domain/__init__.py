"""Tests of scoring's domain."""
