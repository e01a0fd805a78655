"""kafka-python 3.0.12: a client that is closed may leave sockets open, and logs errors about connections it was making.

The client closes a connection that still has bytes to send only when they are sent. But the thread that sends ends
first, so the socket stays open until the garbage collector finds it. The client aborts a connection that is not made
yet with a KafkaConnectionError, which is logged as an error at a clean stop.
"""

from __future__ import annotations

from typing import Any

from kafka.errors import Cancelled
from kafka.net.compat import KafkaNetClient

_base: Any = KafkaNetClient


class ClosingClient(KafkaNetClient):
    """A network client that closes all its sockets, and cancels the connections that it is making."""

    def close(self, node_id: object = None) -> None:
        """Close the connection to one node, or all of them and the client."""
        if node_id is not None or self._manager.closed:
            _base.close(self, node_id)
            return
        manager = self._manager
        manager.closed = True  # from here on it makes no connection
        connections: list[Any] = list(manager._conns.values())  # noqa: SLF001 - as its own `close` does
        for connection in connections:
            connection.close(None if connection.init_future.is_done else Cancelled())
        manager._bootstrap_wakeup.notify()  # noqa: SLF001 - as its own `close` does
        manager.cluster.close()
        self._net.close()
        for connection in connections:
            close_socket(connection.transport)


def close_socket(transport: Any) -> None:
    """Close the transport's socket, if that is still open."""
    socket = None if transport is None else transport._sock  # noqa: SLF001 - its thread has ended
    if socket is not None:
        socket.close()
