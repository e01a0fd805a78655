"""Hostile receivers on real sockets: each answers in its own wrong way, or not at all."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from shared.embedded.postgres import free_port
from shared.http.outbound import CONNECT_S
from tests.certificates import make_certificate

PATIENCE_S = CONNECT_S + 1
"""How long an attempt waits for an answer in these tests: longer than for a connection, as at work."""
SHORT_PATIENCE_S = 0.5
"""How long it waits for a receiver that gives none, when that is the only one."""
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Connection:
    """One request to a hostile receiver, which has been read."""

    client: socket.socket
    over: threading.Event
    """Set when the test is over."""

    def send(self, *parts: bytes, pause_s: float = 0) -> None:
        """Send the parts, with a pause after each."""
        for part in parts:
            self.client.sendall(part)
            if self.over.wait(pause_s):
                return

    def send_for_ever(self, part: bytes, *, pause_s: float = 0) -> None:
        """Send this again and again, until the other side gives up."""
        while not self.over.wait(pause_s):
            self.client.sendall(part)


Behaviour = Callable[[Connection], None]


def never_answers(connection: Connection) -> None:
    connection.over.wait(20)


def answers_too_late(connection: Connection) -> None:
    connection.over.wait(PATIENCE_S * 1.5)
    connection.send(OK)


def drips_the_head(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.send_for_ever(b"x", pause_s=0.05)


def has_an_endless_head(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.send_for_ever(b"x-more: " + b"a" * 1000 + b"\r\n")


def has_a_huge_header(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\nx-huge: " + b"a" * 1_000_000 + b"\r\n\r\n")


def has_large_headers(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 204 Done\r\nx-large: " + b"a" * 50_000 + b"\r\n\r\n")


def sends_hints_for_ever(connection: Connection) -> None:
    connection.send_for_ever(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", pause_s=0.01)


def switches_protocols(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n")


def speaks_no_http(connection: Connection) -> None:
    connection.send(b"SSH-2.0-OpenSSH_9.9\r\n")


def closes_without_an_answer(_: Connection) -> None:
    """The socket is closed by the server."""


def resets_the_connection(connection: Connection) -> None:
    linger = struct.pack("ii", 1, 0)
    connection.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def has_an_endless_body(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    connection.send_for_ever(b"4\r\nwait\r\n")


def has_a_compressed_body(connection: Connection) -> None:
    bomb = b"\x1f\x8b" + b"\x00" * 1000
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(bomb)}\r\n\r\n"
    connection.send(head.encode() + bomb)


def answers(status: str, *headers: str) -> Behaviour:
    """A whole answer with this status and these headers."""
    lines = [f"HTTP/1.1 {status}", *headers, "content-length: 0", "", ""]

    def behaviour(connection: Connection) -> None:
        connection.send("\r\n".join(lines).encode())

    return behaviour


@contextmanager
def serving(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A receiver that behaves so to every request, each in a thread of its own; yields its URL."""
    over, threads = threading.Event(), list[threading.Thread]()
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            wrapped = client if context is None else context.wrap_socket(client, server_side=True)
            with wrapped, suppress(OSError):
                _read_request(wrapped)
                behaviour(Connection(wrapped, over))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.settimeout(20)
                threads.append(threading.Thread(target=answer, args=(client,)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for thread in threads:
            thread.join()


def _read_request(connection: socket.socket) -> None:
    """Read the whole request: whoever answers before, and closes, resets the connection."""
    received = b""
    while not received.endswith(b"}"):
        part = connection.recv(65_536)
        if not part:
            raise ConnectionError
        received += part


@contextmanager
def with_an_unknown_certificate(folder: Path) -> Iterator[str]:
    """A server over TLS whose certificate nobody has signed."""
    certificate, with_key = folder / "certificate.pem", folder / "with_key.pem"
    make_certificate(certificate, with_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(with_key)
    with serving(answers("200 OK"), context) as url:
        yield url


@contextmanager
def without_tls(_: Path) -> Iterator[str]:
    """A URL of https whose server speaks plain HTTP and answers whatever comes."""
    with _raw(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        yield f"https://127.0.0.1:{port}/"


@contextmanager
def with_a_hanging_handshake(_: Path) -> Iterator[str]:
    """A URL of https whose server takes the connection and says nothing."""
    over = threading.Event()
    with _raw(lambda _: over.wait(20)) as port:
        yield f"https://127.0.0.1:{port}/"
        over.set()


@contextmanager
def _raw(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server that answers what a client sends first, one client after the other; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError):
                    client.recv(65_536)
                    answer(client)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


@contextmanager
def without_a_server(_: Path) -> Iterator[str]:
    """A port that nobody listens on."""
    yield f"http://127.0.0.1:{free_port()}/"


@contextmanager
def without_a_name(_: Path) -> Iterator[str]:
    """A host that DNS does not know."""
    yield "http://nowhere.invalid/"


@contextmanager
def at_a_forbidden_address(_: Path) -> Iterator[str]:
    """An address that webhooks must not reach: only 127.0.0.0/8 is allowed in these tests."""
    yield f"http://[::1]:{free_port()}/"


@contextmanager
def redirecting_to_loopback(_: Path) -> Iterator[str]:
    """A redirect to a server on loopback, which must get no request."""
    requests = list[str]()

    def note(connection: Connection) -> None:
        requests.append("a request")
        connection.send(OK)

    with serving(note) as inner, serving(answers("302 Found", f"location: {inner}")) as url:
        yield url
        assert requests == []
