"""kafka-python 3.0.12: a consumer loses a join of its group that ends between two polls.

When topics have changed, the coordinator begins a join. If `poll` returns before the broker answers, the next `poll`
sees no reason to join any more and never reads the answer: from then on the consumer reads nothing. Where the next
`poll` does see a reason, it begins another join instead of reading the answer.
"""

from __future__ import annotations

from typing import Any

from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.structs import MemberState

_base: Any = ConsumerCoordinator
"""The base class for the type checker: to it `super()` has no types and may not be called."""


class JoiningCoordinator(ConsumerCoordinator):
    """A coordinator that reads the answer to each join."""

    _assignment: bytes | None = None
    """The answer to the present join."""

    def need_rejoin(self) -> bool:
        """Whether to begin a join, or to go on with one that has begun."""
        return self.state is MemberState.REBALANCING or bool(_base.need_rejoin(self))

    async def _do_join_and_sync_async(self) -> bytes:
        """The answer to a join that ended between two polls, or else to a new one."""
        if self.state is not MemberState.REBALANCING:
            self._assignment = None
        if self._assignment is None:
            self._assignment = await _base._do_join_and_sync_async(self)  # noqa: SLF001 - super()
        return self._assignment
