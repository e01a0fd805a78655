"""Tests of what the SLA monitor does in one transaction."""
