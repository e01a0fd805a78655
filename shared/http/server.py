"""Serves an app until SIGTERM or SIGINT, then lets open requests finish."""

from __future__ import annotations

import uvicorn
from fastapi import FastAPI

from shared.http.connection import connections
from shared.process import logs
from shared.process.lifecycle import stop_on_signals

GRACE_S = 8
"""How long open requests may take after the signal."""


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
    uvicorn.Server(config).run()
    logs.get(__name__).info("api stopped")
