"""Connecting without leaving anything behind when it fails, as a client that keeps trying must."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient


@contextmanager
def tidily() -> Iterator[Callable[..., Any]]:
    """Give what to pass as `kafka_client`: a client whose constructor fails leaves a thread and sockets open."""
    made: list[KafkaNetClient] = []

    def make(*arguments: Any, **options: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(*arguments, **options))
        return made[-1]

    try:
        yield make
    except KafkaError:
        for client in made:
            client.close()
        raise
