"""kafka-python 3.0.12: whether a member that closes leaves its group depends only on its having a static name.

A member with a static name never sends the request to leave, so that others take over its partitions only after its
session's time-out; a member without one always sends it. The client has no option for either.
"""

from __future__ import annotations

from typing import Any

from kafka import TopicPartition
from kafka.coordinator.consumer import ConsumerCoordinator

_base: Any = ConsumerCoordinator


class LeavingCoordinator(ConsumerCoordinator):
    """A coordinator that leaves its group at once where other members read too.

    A static member that reads everything alone does not leave: when it restarts it has its partitions at once.
    """

    silent: bool = False
    """Whether to close without a request to leave, so that the session ends by its time-out.

    The embedded broker needs it: a member that leaves while the group forms stays the group's leader there, and no
    member can join until the broker is restarted.
    """
    _leaves: bool = False

    def close(self, *arguments: Any, **options: Any) -> None:
        """Close, and leave the group where other members read too, or where a join is under way."""
        self._leaves = self.need_rejoin() or self._others_read()
        _base.close(self, *arguments, **options)

    def is_dynamic_member(self) -> bool:
        """Whether the client sends a request to leave the group."""
        if self.silent:
            return False
        return self._leaves or bool(_base.is_dynamic_member(self))

    def _others_read(self) -> bool:
        assigned = self._subscription.assigned_partitions()
        return any(
            TopicPartition(topic, partition) not in assigned
            for topic in self._subscription.subscription or ()
            for partition in self._cluster.partitions_for_topic(topic) or ()
        )
