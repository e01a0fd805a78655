"""Tests of `shared.agreement.cel`."""
