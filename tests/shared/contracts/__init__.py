"""Tests of shared.contracts, with examples of every payload that was ever written."""
