"""A way to the embedded broker that hides a topic: the broker itself makes each topic that somebody asks for."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Event, Thread

from shared.embedded.broker import Broker


@dataclass
class Hiding:
    """Where clients ask, and for how long the topic is hidden from them."""

    bootstrap: str
    visible: Event = field(default_factory=Event)


@contextmanager
def hiding(topic: str, broker: Broker) -> Iterator[Hiding]:
    """Until `shown` is set, clients that ask for the topic are answered for another of a name as long."""
    name = topic.encode()
    replacement = b"x" * len(name)
    host, _, port = broker.bootstrap.partition(":")

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as upstream:
                answers = Thread(target=_copy, args=(upstream, self.request, by_this_way))
                answers.start()
                _copy(self.request, upstream, asking)
                answers.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        way = Hiding(f"{host}:{server.server_address[1]}")
        addresses = _address(broker.bootstrap), _address(way.bootstrap)

        def asking(request: bytes) -> bytes:
            return request if way.visible.is_set() else request.replace(name, replacement)

        def by_this_way(answer: bytes) -> bytes:
            return answer.replace(*addresses)

        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield way
        finally:
            server.shutdown()
            thread.join()


def _address(bootstrap: str) -> bytes:
    """As an answer of a broker holds it: the host's text, then the port."""
    host, _, port = bootstrap.partition(":")
    return host.encode() + struct.pack(">i", int(port))


def _copy(source: socket.socket, sink: socket.socket, changed: Callable[[bytes], bytes]) -> None:
    """Every message as it was sent, until either side has closed."""
    with source.makefile("rb") as messages:
        try:
            while size := messages.read(4):
                sink.sendall(size + changed(messages.read(*struct.unpack(">i", size))))
        except (OSError, struct.error):
            pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
