"""Tests of the console, before the real APIs."""
