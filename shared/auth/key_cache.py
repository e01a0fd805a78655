"""A cache of keys, which saves a query for each call and outlasts short outages of the database."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from shared.auth.keys import Key, UnknownKey, digest, id_in
from shared.auth.queries import key_of
from shared.clock import TimeSource, utc_now
from shared.db.outages import OUTAGES, DatabaseAway, is_outage
from shared.db.session import Sessions

FRESH = timedelta(seconds=30)
"""A cached key is trusted for so long: a revocation or a suspension takes effect after this time at most."""

STALE = timedelta(seconds=60)
"""A cached key is trusted for so long while the database is away."""

RETRY_AFTER = timedelta(seconds=5)
"""After an outage of the database, cached keys are used for so long before the next query."""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    read_at: datetime


class KeyCache:
    """The keys that were used most recently, `size` at most. Safe for several threads."""

    def __init__(
        self, sessions: Sessions, time_source: TimeSource = utc_now, *, size: int = 10_000
    ) -> None:
        self._sessions = sessions
        self._time_source = time_source
        self._size = size
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._away_until: datetime | None = None
        self._lock = Lock()

    def cached(self, presented: str | None) -> Key | None:
        """The key, or None where the database must be asked; never blocks.

        Raises UnknownKey, ExpiredKey or InactiveRep.
        """
        now = self._time_source()
        entry = self._entries.get(digest(_checked(presented)))
        if entry is None or now - entry.read_at > self._max_age(now):
            return None
        entry.key.check(now)
        return entry.key

    def key(self, presented: str | None) -> Key:
        """The key; raises UnknownKey, ExpiredKey, InactiveRep or DatabaseAway."""
        return self.cached(presented) or self._query(_checked(presented))

    def stored_key(self, presented: str | None) -> Key:
        """The key as the database has it now, and a cached one only while that is away; raises as `key` does."""
        return self._query(_checked(presented))

    def _max_age(self, now: datetime) -> timedelta:
        is_away = self._away_until is not None and now < self._away_until
        return STALE if is_away else FRESH

    def _query(self, presented: str) -> Key:
        now = self._time_source()
        try:
            with self._sessions() as session:
                key = key_of(session, presented)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            self._away_until = now + RETRY_AFTER
            if (cached_key := self.cached(presented)) is not None:
                return cached_key
            raise DatabaseAway("the database is away: the key cannot be looked up") from None
        except UnknownKey:
            self._forget(presented)
            raise
        self._away_until = None
        self._remember(presented, _Entry(key, now))
        key.check(now)
        return key

    def _remember(self, presented: str, entry: _Entry) -> None:
        with self._lock:
            self._entries[digest(presented)] = entry
            self._entries.move_to_end(digest(presented))
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def _forget(self, presented: str) -> None:
        with self._lock:
            self._entries.pop(digest(presented), None)


def _checked(presented: str | None) -> str:
    """The key, if it has the form of a key; raises UnknownKey."""
    if presented is None:
        raise UnknownKey(
            "there is no key: send one as `Authorization: Bearer`, as the user name of Basic, or as `X-Write-Key`"
        )
    id_in(presented)
    return presented
