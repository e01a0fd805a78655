"""Tests of what becomes of news."""
