"""The advisory locks of PostgreSQL that this product takes: each has a name and a number of its own."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """The numbers are for ever: processes of an older version hold them while a newer one is started."""

    RELAY = 0x1EAD_BA70
    """Held by the one relay that publishes, for as long as it runs."""
    MIGRATION = 0x1EAD_BA71
    """Held by a migrator, so that a second one waits its turn."""
