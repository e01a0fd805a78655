"""A real uvicorn on loopback, for clients that speak real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import uvicorn
from fastapi import FastAPI

from shared.http.connection import DEFAULT_LIMITS, ConnectionLimits, connections
from shared.http.server import Server


@contextmanager
def serving(app: FastAPI, limits: ConnectionLimits = DEFAULT_LIMITS) -> Iterator[str]:
    """The app's URL while it serves, with the limits that our servers have."""
    with serving_all([app], limits) as [url]:
        yield url


@contextmanager
def serving_all(
    apps: Sequence[FastAPI], limits: ConnectionLimits = DEFAULT_LIMITS
) -> Iterator[list[str]]:
    """The URL of each app while all serve. They stop at the same time, because each takes a moment."""
    with ExitStack() as listening:
        listeners = [listening.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in apps]
        running = [_start(app, it, limits) for app, it in zip(apps, listeners, strict=True)]
        try:
            yield [f"http://127.0.0.1:{it.getsockname()[1]}" for it in listeners]
        finally:
            for server, _ in running:
                server.should_exit = True
            for _, thread in running:
                thread.join(10)


def _start(
    app: FastAPI, listener: socket.socket, limits: ConnectionLimits
) -> tuple[Server, Thread]:
    """The server, and its thread, once it serves."""
    ready = Event()
    app.router.add_event_handler("startup", ready.set)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, http=connections(limits), ws="none"
    )
    server = Server(config, app.state.streams.end_all)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert ready.wait(60)
    return server, thread
