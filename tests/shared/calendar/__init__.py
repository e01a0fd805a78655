"""Tests of working hours."""
