"""A proxy to the embedded broker that hides a topic, for the broker creates each topic that a client asks for."""

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
class HidingProxy:
    """The address of the proxy, and the switch that shows the topic."""

    bootstrap: str
    visible: Event = field(default_factory=Event)


@contextmanager
def hiding(topic: str, broker: Broker) -> Iterator[HidingProxy]:
    """Until `visible` is set, requests for the topic ask the broker for another topic whose name is as long."""
    name = topic.encode()
    replacement = b"x" * len(name)
    host, _, port = broker.bootstrap.partition(":")

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(port))) as upstream:
                answers = Thread(target=_copy, args=(upstream, self.request, changed_answer))
                answers.start()
                _copy(self.request, upstream, changed_request)
                answers.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        proxy = HidingProxy(f"{host}:{server.server_address[1]}")
        addresses = _address(broker.bootstrap), _address(proxy.bootstrap)

        def changed_request(request: bytes) -> bytes:
            return request if proxy.visible.is_set() else request.replace(name, replacement)

        def changed_answer(answer: bytes) -> bytes:
            return answer.replace(*addresses)

        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()


def _address(bootstrap: str) -> bytes:
    """The address as an answer of a broker has it: the host's text, then the port."""
    host, _, port = bootstrap.partition(":")
    return host.encode() + struct.pack(">i", int(port))


def _copy(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
    """Copy every message, changed, until either side has closed."""
    with source.makefile("rb") as messages:
        try:
            while size := messages.read(4):
                sink.sendall(size + change(messages.read(*struct.unpack(">i", size))))
        except (OSError, struct.error):
            pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
