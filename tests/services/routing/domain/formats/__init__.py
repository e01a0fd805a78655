"""Tests of the formats of endpoints."""
