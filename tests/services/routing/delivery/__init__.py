"""Tests of webhooks on their way, against a real receiver."""
