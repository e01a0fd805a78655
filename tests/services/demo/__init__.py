"""Tests of the demonstration: its people, its network, its reps, its story."""
