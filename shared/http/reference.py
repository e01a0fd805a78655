"""The page `/docs` of every API, without scripts; FastAPI's own page loads its scripts from another site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.responses import HTMLResponse, Response

Json = Mapping[str, Any]

SECURITY_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1rem; border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem }
dt { float: left; clear: left; min-width: 11rem } dd { margin-left: 12rem }
code, h2 { font-family: ui-monospace, monospace } :root { color-scheme: light dark }
"""


def reference(app: FastAPI) -> APIRouter:
    """The route of the page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def docs() -> Response:
        return HTMLResponse("".join(_page(app.openapi())), headers=SECURITY_HEADERS)

    return router


def _page(document: Json) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    yield f"<h1>{title}</h1><p>{escape(document['info']['summary'])}</p>"
    yield '<p>For programs, with all models: <a href="openapi.json">openapi.json</a>.</p>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h2>{method.upper()} {escape(path)}</h2>"
            yield from _operation(operation)


def _operation(operation: Json) -> Iterator[str]:
    yield f"<p>{escape(operation.get('description', operation['summary']))}</p><dl>"
    for parameter in operation.get("parameters", ()):
        needed = " (required)" if parameter.get("required") else ""
        yield _line(
            f"{parameter['name']}, in the {parameter['in']}{needed}",
            parameter.get("description", ""),
        )
    for status, response in operation["responses"].items():
        yield _line(status, response["description"])
    yield "</dl>"


def _line(name: str, about: str) -> str:
    return f"<dt><code>{escape(name)}</code></dt><dd>{escape(about) or '&nbsp;'}</dd>"
