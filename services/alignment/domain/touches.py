"""The marketing touches of one handoff, and the channel by which its lead came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.alignment.domain.attribution import Touch
from services.alignment.domain.facts import Key


class TouchHistory(NamedTuple):
    """What is kept of a handoff's touches.

    `qualified_channel` is that of the last touch before the lead qualified, as it was announced then. A list that is
    announced when the handoff is closed may have left that touch out.
    """

    qualified_channel: str | None
    touches: Sequence[Touch] = ()

    def channel(self, qualified_at: datetime | None) -> str | None:
        """The channel of the last touch before the lead qualified, else of the first one, else None."""
        if self.qualified_channel is not None or not self.touches:
            return self.qualified_channel
        in_order = sorted(self.touches, key=lambda it: it.at)
        before = [it for it in in_order if qualified_at is not None and it.at <= qualified_at]
        return before[-1].channel if before else in_order[0].channel


def channels_of(
    qualified_at: Mapping[Key, datetime | None], histories: Mapping[Key, TouchHistory]
) -> dict[Key, str | None]:
    """The channel of each handoff whose touches are known."""
    return {key: history.channel(qualified_at[key]) for key, history in histories.items()}
