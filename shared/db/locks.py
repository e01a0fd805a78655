"""The advisory locks in PostgreSQL, each with a name and a number."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """The locks. Numbers never change: processes of an older version may hold them while a newer one starts."""

    RELAY = 0x1EAD_BA70
    """Held by the relay that publishes, as long as it runs."""
    MIGRATION = 0x1EAD_BA71
    """Held by a migrator, so that a second one waits."""
    MERGES = 0x1EAD_BA72
    """Held by a transaction that merges handoffs; shared by all that change handoffs otherwise."""
    VIEWS = 0x1EAD_BA73
    """Held, with a hash of the owner as the second number, while an owner's saved views are counted."""
    APPLICATIONS = 0x1EAD_BA74
    """Held by a transaction that applies an agreement to clocks; shared by all that derive clocks."""
    SPEND = 0x1EAD_BA75
    """Held by a transaction that adds what campaigns cost, so that versions and overlaps are decided in turn."""
    TALLIES = 0x1EAD_BA76
    """Held by a transaction that counts a stale day of alignment's anew, or, in older versions, merges its tallies."""
    CAPACITY = 0x1EAD_BA77
    """Held by a transaction that announces what teams can take, so that plans are made in turn."""
