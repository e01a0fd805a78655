"""Tests of the database's shared parts."""
