"""Limits on how fast a key may send: a token bucket for each key, in this process."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import monotonic

from services.scoring.ingest.errors import RateLimited


class RateLimiter:
    """A key's bucket holds `burst` tokens and gains `rate` a second; an event takes one."""

    def __init__(self, rate: int, burst: int, seconds: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._seconds = seconds
        self._held: dict[str, tuple[float, float]] = {}

    def take_some(self, key_id: str, count: int) -> int:
        """How many of the events are taken now; raises RateLimited when there is no token for any."""
        tokens = self._tokens(key_id)
        granted = min(count, math.floor(tokens))
        if count and not granted:
            raise self._refusal(1 - tokens)
        self._held[key_id] = (tokens - granted, self._seconds())
        return granted

    def take_all(self, key_id: str, count: int) -> int:
        """Take all events or raise RateLimited. A full bucket allows even more events than it holds."""
        tokens = self._tokens(key_id)
        needed = min(count, self._burst)
        if tokens < needed:
            raise self._refusal(needed - tokens)
        self._held[key_id] = (tokens - count, self._seconds())
        return count

    def _tokens(self, key_id: str) -> float:
        now = self._seconds()
        tokens, at = self._held.get(key_id, (self._burst, now))
        return min(self._burst, tokens + (now - at) * self._rate)

    def _refusal(self, missing: float) -> RateLimited:
        return RateLimited(math.ceil(missing / self._rate))
