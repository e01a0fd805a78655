"""Wiring of the console's process."""

from __future__ import annotations

from services.console.apis import Service
from services.console.app import build_console
from shared.http.server import serve
from shared.process import logs
from shared.process.settings import Settings

PORT = 8000


def console(settings: Settings) -> None:
    """Serve the console until the process is asked to stop."""
    logs.configure(settings.log_level, service="console")
    app = build_console(
        urls=urls_of(settings),
        secret_key=settings.secret_key,
        is_secure=settings.console_url.startswith("https:"),
    )
    serve(app, host=settings.host, port=settings.port or PORT)


def urls_of(settings: Settings) -> dict[Service, str]:
    """Where each API is."""
    return {
        Service.SCORING: settings.scoring_url,
        Service.ROUTING: settings.routing_url,
        Service.SLA: settings.sla_url,
        Service.ALIGNMENT: settings.alignment_url,
    }
