"""Serves an app until SIGTERM or SIGINT, then lets open requests finish and ends open streams."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from shared.http.connection import connections
from shared.process import logs
from shared.process.lifecycle import stop_on_signals

GRACE_S = 8
"""How long open requests may take after the signal."""


class Server(uvicorn.Server):
    """uvicorn's server, which calls `end_streams` before it waits for open requests: a stream ends by itself never."""

    def __init__(self, config: uvicorn.Config, end_streams: Callable[[], None]) -> None:
        super().__init__(config)
        self._end_streams = end_streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then the rest."""
        self._end_streams()
        await super().shutdown(sockets)


def serve(app: FastAPI, *, host: str, port: int) -> None:
    """Serve until the process is asked to stop, then return, so that the caller can close its resources."""
    stop_on_signals()  # uvicorn raises the signal again at its end: without this handler it would end the process
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=connections(),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    logs.get(__name__).info("api starts", host=host, port=port)
    Server(config, app.state.streams.end_all).run()
    logs.get(__name__).info("api stopped")
