"""Tests of the SLA monitor's API."""
