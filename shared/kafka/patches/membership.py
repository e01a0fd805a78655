"""The client's membership of a group, mended where it loses its way, and ended where others can take over."""

from __future__ import annotations

from typing import Any

from kafka import TopicPartition
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.structs import MemberState

_client: Any = ConsumerCoordinator
"""What it inherits, for the type checker: to it `super()` has no types and shall not be called."""


class Membership(ConsumerCoordinator):
    """As the client's, but a join that ends while nobody waits for it, as between two polls, is not lost."""

    _brought: bytes | None = None
    _says_good_bye: bool = False
    silent: bool = False
    """Leave without a word and let the session end. The embedded broker needs it: a member that says good-bye while the
    group forms stays its leader there, and nobody joins that group again until the broker is restarted."""

    def need_rejoin(self) -> bool:
        """Also while a join is under way: one that it began because topics had changed the client forgets for ever."""
        return self.state is MemberState.REBALANCING or bool(_client.need_rejoin(self))

    async def _do_join_and_sync_async(self) -> bytes:
        """What a join brought that ended between two polls, or else a new one: the client always begins anew."""
        if self.state is not MemberState.REBALANCING:
            self._brought = None
        if self._brought is None:
            self._brought = await _client._do_join_and_sync_async(self)  # noqa: SLF001 - super()
        return self._brought

    def close(self, *arguments: Any, **options: Any) -> None:
        """Say good-bye where others read, also with a name that is awaited: they take over at once.

        Who reads everything alone is awaited for the length of a session: a restart has its partitions at once.
        """
        self._says_good_bye = self.need_rejoin() or self._others_read()
        _client.close(self, *arguments, **options)

    def is_dynamic_member(self) -> bool:
        """Whether the client may tell the group that it leaves."""
        if self.silent:
            return False
        return self._says_good_bye or bool(_client.is_dynamic_member(self))

    def _others_read(self) -> bool:
        ours = self._subscription.assigned_partitions()
        return any(
            TopicPartition(topic, partition) not in ours
            for topic in self._subscription.subscription or ()
            for partition in self._cluster.partitions_for_topic(topic) or ()
        )
