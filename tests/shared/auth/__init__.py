"""Tests of `shared.auth`."""
