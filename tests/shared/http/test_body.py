"""Tests of the body reader: limits while a body streams, compression, and bounded memory."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from shared.auth.key_cache import KeyCache
from shared.db.session import engine_for, sessions_on
from shared.http.body import BodyReader

LIMIT = 1_000
NO_KEYS = KeyCache(sessions_on(engine_for("postgresql://nobody@127.0.0.1:1/nothing")))
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


def read_body(
    chunks: Iterable[bytes],
    *,
    encoding: str = "identity",
    is_disconnected: bool = False,
    limit: int = LIMIT,
    budget: int = 10**9,
) -> tuple[bytes | None, int | None]:
    """The body that the app reads from these chunks, and the status of an error response."""
    parts = iter(chunks)
    read: list[bytes] = []
    statuses: list[int] = []

    async def receive() -> Message:
        chunk = next(parts, None)
        if chunk is None:
            return {"type": "http.disconnect"} if is_disconnected else {"type": "http.request"}
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def app(scope: Scope, receive: Receive, _: Send) -> None:
        message = await receive()
        assert message.get("more_body") is False
        assert dict(scope["headers"]) == {b"content-length": str(len(message["body"])).encode()}
        read.append(message["body"])
        await receive()

    headers = [(b"content-encoding", encoding.encode()), (b"content-length", b"1")]
    scope: Scope = {"type": "http", "method": "POST", "path": "/in", "headers": headers}
    bodies = BodyReader(app, max_bytes=limit, keys=NO_KEYS, posts={"/in"})
    bodies.keyless_budget.max_bytes = budget
    asyncio.run(bodies(scope, receive, send))
    assert (bodies.keyed_budget.used_bytes, bodies.keyless_budget.used_bytes) == (0, 0)
    return (read[0] if read else None), (statuses[0] if statuses else None)


def cut(body: bytes, size: int) -> list[bytes]:
    """The body in chunks of this size."""
    return [body[index : index + size] for index in range(0, len(body), size)]


@given(st.binary(max_size=LIMIT + 50), st.integers(1, 200), st.sampled_from(list(PACKED)))
def test_what_is_not_too_large_is_read_whatever_the_chunks(
    body: bytes, size: int, encoding: str
) -> None:
    packed = PACKED[encoding](body)
    fits = max(len(body), len(packed)) <= LIMIT  # as it came, and unpacked
    expected = (body, None) if fits else (None, 413)
    assert read_body(cut(packed, size), encoding=encoding) == expected


def test_a_bomb_costs_no_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(60)) + packer.flush()
    assert len(bomb) < 70_000
    tracemalloc.start()
    outcomes = [read_body([bomb], encoding="gzip", limit=1_000_000)]
    outcomes.append(read_body(cut(bomb, 100), encoding="gzip", limit=1_000_000))
    _, limit = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert outcomes == [(None, 413)] * 2
    assert limit < 5_000_000


def test_an_endless_body_is_refused_at_the_limit() -> None:
    def endless() -> Iterable[bytes]:
        while True:
            yield bytes(100)

    assert read_body(endless()) == (None, 413)


@pytest.mark.parametrize("empty", [b"", gzip.compress(b"")], ids=["nothing", "nothing, zipped"])
def test_endless_nothing_is_refused_too(empty: bytes) -> None:
    chunks = [empty] * 100 if empty else [b""]
    assert read_body(chunks, encoding="gzip") == ((b"", None) if not empty else (None, 413))


def test_members_that_hold_nothing_count_as_they_came_beside_one_that_holds_something() -> None:
    chunks = [gzip.compress(b"x") + gzip.compress(b"") * 10] * 20
    assert read_body(chunks, encoding="gzip", limit=1_000) == (None, 413)


def test_a_body_of_very_many_members_is_refused_at_once() -> None:
    members = gzip.compress(b"") * 40_000
    assert read_body([members], encoding="gzip", limit=1_000_000) == (None, 400)


def test_bodies_share_a_budget_in_which_both_forms_count() -> None:
    packed = gzip.compress(b"x" * 900)
    assert read_body([b"x" * 900], budget=900) == (b"x" * 900, None)
    assert read_body([b"x" * 900], budget=899) == (None, 503)
    assert read_body([packed], encoding="gzip", budget=900 + len(packed)) == (b"x" * 900, None)
    assert read_body([packed], encoding="gzip", budget=899 + len(packed)) == (None, 503)


def test_a_client_that_leaves_in_the_middle_is_not_answered() -> None:
    assert read_body([b"half"], is_disconnected=True) == (None, None)


def test_other_scopes_pass() -> None:
    bodies: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        bodies.append(scope["type"])

    async def nothing(*_: object) -> Message:
        raise AssertionError

    async def drop(_: Message) -> None:
        raise AssertionError

    asyncio.run(BodyReader(app, max_bytes=1, keys=NO_KEYS)({"type": "lifespan"}, nothing, drop))
    assert bodies == ["lifespan"]
