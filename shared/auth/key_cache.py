"""Keys remembered for a while, so that calls cost no query and go on while the database is away."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from shared.auth.keys import Key, UnknownKey, digest, id_in
from shared.auth.queries import find_key
from shared.clock import TimeSource, utc_now
from shared.db.outages import OUTAGES, DatabaseAway, is_outage
from shared.db.session import Sessions

FRESH = timedelta(seconds=30)
"""So long a key that was revoked or suspended may go on working, and one that is no longer suspended may not."""

STALE = timedelta(seconds=60)
"""So long a key that cannot be looked up, because the database is away, goes on working."""

PATIENCE = timedelta(seconds=5)
"""After the database did not answer, it is not asked again for so long."""


@dataclass(frozen=True, slots=True)
class _Entry:
    key: Key
    at: datetime


class KeyCache:
    """The keys that were seen lately. Safe from many threads."""

    def __init__(
        self, sessions: Sessions, time_source: TimeSource = utc_now, *, size: int = 10_000
    ) -> None:
        self._sessions = sessions
        self._clock = time_source
        self._size = size
        self._remembered: OrderedDict[bytes, _Entry] = OrderedDict()
        self._away_until: datetime | None = None
        self._lock = Lock()

    def remembered(self, presented: str | None) -> Key | None:
        """The key if it can be told without the database; never blocks.

        Raises UnknownKey, ExpiredKey or InactiveRep.
        """
        now = self._clock()
        entry = self._remembered.get(digest(_present(presented)))
        if entry is None or now - entry.at > self._trusted(now):
            return None
        entry.key.check(now)
        return entry.key

    def key(self, presented: str | None) -> Key:
        """The key, if it is good; raises UnknownKey, ExpiredKey, InactiveRep or DatabaseAway."""
        return self.remembered(presented) or self._looked_up(_present(presented))

    def _trusted(self, now: datetime) -> timedelta:
        away = self._away_until is not None and now < self._away_until
        return STALE if away else FRESH

    def _looked_up(self, presented: str) -> Key:
        now = self._clock()
        try:
            with self._sessions() as session:
                key = find_key(session, presented)
        except OUTAGES as error:
            if not is_outage(error):
                raise
            self._away_until = now + PATIENCE
            if (key_before := self.remembered(presented)) is not None:
                return key_before
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
            self._remembered[digest(presented)] = entry
            self._remembered.move_to_end(digest(presented))
            while len(self._remembered) > self._size:
                self._remembered.popitem(last=False)

    def _forget(self, presented: str) -> None:
        with self._lock:
            self._remembered.pop(digest(presented), None)


def _present(presented: str | None) -> str:
    """The key, if there is one and it has the form of one; raises UnknownKey."""
    if presented is None:
        raise UnknownKey(
            "no key: send one as `Authorization: Bearer`, as the user name of Basic, or as `X-Write-Key`"
        )
    id_in(presented)
    return presented
