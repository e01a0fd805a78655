"""kafka-python 3.0.12: a consumer loses a join of its group that ends between two polls.

When topics have changed, the coordinator begins a join. If `poll` returns before the broker answers, the next `poll`
sees no reason to join any more and never takes the answer: the consumer reads nothing for ever. Where the next `poll`
does see a reason, it begins another join instead of taking the answer.
"""

from __future__ import annotations

from typing import Any

from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.structs import MemberState

_base: Any = ConsumerCoordinator
"""The base class for the type checker: to it `super()` has no types and may not be called."""


class JoiningCoordinator(ConsumerCoordinator):
    """A coordinator that takes the answer to each join."""

    _assignment: bytes | None = None
    """What the present join brought."""

    def need_rejoin(self) -> bool:
        """Whether to join, or to go on with a join that is under way."""
        return self.state is MemberState.REBALANCING or bool(_base.need_rejoin(self))

    async def _do_join_and_sync_async(self) -> bytes:
        """What a join brought that ended between two polls, or else what a new one brings."""
        if self.state is not MemberState.REBALANCING:
            self._assignment = None
        if self._assignment is None:
            self._assignment = await _base._do_join_and_sync_async(self)  # noqa: SLF001 - super()
        return self._assignment
