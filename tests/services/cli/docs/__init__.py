"""Tests of the generated references, and of what the hand-written documents claim."""
