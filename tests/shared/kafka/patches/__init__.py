"""Tests of `shared.kafka.patches`."""
