"""Tests of the whole installation, with real processes and real HTTP."""
