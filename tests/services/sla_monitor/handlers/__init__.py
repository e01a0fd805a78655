"""Tests of the SLA monitor's handlers."""
