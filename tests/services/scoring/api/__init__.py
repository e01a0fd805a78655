"""Tests of scoring's API."""
