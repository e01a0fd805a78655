"""Tests of alignment's API."""
