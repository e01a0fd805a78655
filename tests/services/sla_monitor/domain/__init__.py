"""Tests of the SLA monitor's domain."""
