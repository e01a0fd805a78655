"""A connection whose TLS handshake fails is closed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import ClassVar

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from shared.kafka.patches.failed_connects import closing_on_failure
from shared.kafka.patches.failed_handshakes import ClosingSocket


@contextmanager
def no_tls() -> Iterator[str]:
    """The address of a server whose answer to a handshake is not TLS."""

    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1)
            self.request.sendall(b"this is no TLS\n" * 10)

    with ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class UnpatchedSocket(ssl.SSLSocket):
    """A class that collects its sockets."""

    opened: ClassVar[list[socket.socket]] = []

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the base class
        self.opened.append(self)
        super().do_handshake(block)


class PatchedSocket(ClosingSocket):
    """A class that collects its sockets."""

    opened: ClassVar[list[socket.socket]] = []

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the base class
        self.opened.append(self)
        super().do_handshake(block)


def fail(kind: type[ssl.SSLSocket]) -> None:
    """Let a client with sockets of this kind fail at its handshakes, and close it."""
    context = ssl.create_default_context()
    context.sslsocket_class = kind
    with no_tls() as address, pytest.raises(KafkaError), closing_on_failure() as make_client:
        KafkaAdminClient(
            kafka_client=make_client,
            bootstrap_servers=[address],
            security_protocol="SSL",
            ssl_context=context,
            bootstrap_timeout_ms=300,
        )


def test_the_unpatched_client_leaves_the_socket_open() -> None:
    """The patch is no longer needed when this fails."""
    fail(UnpatchedSocket)
    still_open = [it for it in UnpatchedSocket.opened if it.fileno() != -1]
    for open_socket in still_open:
        open_socket.close()
    assert still_open


def test_the_socket_is_closed() -> None:
    fail(PatchedSocket)
    assert PatchedSocket.opened
    assert all(it.fileno() == -1 for it in PatchedSocket.opened)
