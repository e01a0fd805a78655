"""kafka-python 3.0.12: a consumer has no option for the class of its coordinator; this puts in a patched one."""

from __future__ import annotations

from typing import Any

from kafka import KafkaConsumer

from shared.kafka.patches.leaving_groups import LeavingCoordinator
from shared.kafka.patches.lost_joins import JoiningCoordinator


class _GroupMember(JoiningCoordinator, LeavingCoordinator):
    """Both patches of the coordinator; neither adds anything to its constructor."""


def patch_coordinator(consumer: KafkaConsumer, *, silent: bool) -> None:
    """Patch the coordinator of a consumer that has not joined yet; `silent` as in LeavingCoordinator."""
    coordinator: Any = consumer._coordinator  # noqa: SLF001 - the constructor has made it
    coordinator.__class__ = _GroupMember
    coordinator.silent = silent
