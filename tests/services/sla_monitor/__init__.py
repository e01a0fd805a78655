"""Tests of the SLA monitor."""
