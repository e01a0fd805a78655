"""Tests with arbitrary values, from HTTP to webhooks and clocks."""
