"""Tests of routing's API."""
