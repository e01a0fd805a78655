"""Tests of shared.kafka."""
