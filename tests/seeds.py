"""Choices at random that a test repeats."""

from __future__ import annotations

import random


def random_of(seed: int) -> random.Random:
    """The choices of this seed, the same in each run."""
    return random.Random(seed)  # noqa: S311 - no secret depends on what a test chooses
