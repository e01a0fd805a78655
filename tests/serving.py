"""A real uvicorn on loopback, for clients that speak real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
from fastapi import FastAPI

from shared.http.connection import DEFAULT_LIMITS, ConnectionLimits, connections
from shared.http.server import Server


@contextmanager
def serving(app: FastAPI, limits: ConnectionLimits = DEFAULT_LIMITS) -> Iterator[str]:
    """The app's URL while it serves, with the limits that our servers have."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready = Event()
        app.router.add_event_handler("startup", ready.set)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, http=connections(limits), ws="none"
        )
        server = Server(config, app.state.streams.end_all)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert ready.wait(60)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
