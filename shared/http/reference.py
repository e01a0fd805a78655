"""The pages `/` and `/docs` of every API, without scripts; FastAPI's own page loads its scripts from another site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from shared.http.schemas import example_of, fields_of, kind_of

Json = Mapping[str, Any]

SECURITY_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1.3rem; margin-top: 3rem }
h3 { font-size: 1rem; border-top: 1px solid #8886; padding-top: 1rem; margin-top: 2rem }
h4 { font-size: 1rem; margin: 1rem 0 0 }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0 1rem; margin: 0 }
dd { margin: 0 } pre { overflow: auto; padding: .5rem; border: 1px solid #8886 }
code, h3, pre { font-family: ui-monospace, monospace } small { opacity: .7 } :root { color-scheme: light dark }
"""
LINKS = {
    "docs": "The operations, with their parameters, bodies and examples.",
    "openapi.json": "The same for programs (OpenAPI 3.1).",
    "healthz": "Whether the process runs.",
    "readyz": "Whether everything that it needs answers.",
    "metrics": "Metrics for Prometheus.",
}


def reference(app: FastAPI) -> APIRouter:
    """The routes of the pages."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def root(request: Request) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return _html(_root(app.openapi()["info"]))
        links = {name: f"/{name}" for name in LINKS}
        return JSONResponse({"name": app.title, "summary": app.summary, "links": links})

    @router.get("/docs")
    def docs() -> Response:
        return _html(_page(app.openapi()))

    return router


def _html(parts: Iterator[str]) -> Response:
    return HTMLResponse("".join(parts), headers=SECURITY_HEADERS)


def _head(info: Json) -> Iterator[str]:
    title = escape(info["title"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    yield f"<h1>{title}</h1><p>{escape(info['summary'])}</p>"


def _root(info: Json) -> Iterator[str]:
    yield from _head(info)
    yield "<ul>"
    for name, meaning in LINKS.items():
        yield f'<li><a href="{name}">{name}</a>: {escape(meaning)}</li>'
    yield "</ul>"


def _page(document: Json) -> Iterator[str]:
    yield from _head(document["info"])
    yield '<p>For programs: <a href="openapi.json">openapi.json</a>.</p>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"<h3>{method.upper()} {escape(path)}</h3>"
            yield from _operation(operation, document)
    if document.get("webhooks"):
        yield "<h2>Webhooks</h2><p>Requests that this service sends.</p>"
        for type, methods in document["webhooks"].items():
            yield f"<h3>{escape(type)}</h3>"
            yield from _operation(methods["post"], document)


def _operation(operation: Json, document: Json) -> Iterator[str]:
    yield f"<p>{escape(operation.get('description', operation['summary']))}</p>"
    if parameters := operation.get("parameters"):
        yield "<h4>Parameters</h4>"
        yield from _list(
            (
                f"{it['name']}, in the {it['in']}",
                kind_of(it["schema"], document),
                it.get("description", ""),
                bool(it.get("required")),
            )
            for it in parameters
        )
    if body := operation.get("requestBody"):
        yield f"<h4>Body</h4><p>{escape(body.get('description', ''))}</p>"
        yield from _body(body, document)
    yield "<h4>Responses</h4>"
    yield from _list(
        (status, "", response["description"], False)
        for status, response in operation["responses"].items()
    )
    yield from _success(operation, document)


def _body(body: Json, document: Json) -> Iterator[str]:
    content = body["content"]["application/json"]
    yield from _fields(content["schema"], document)
    example = example_of(content, document)
    if example is not None:
        text = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
        yield f"<p>For example:</p><pre>{escape(text)}</pre>"


def _success(operation: Json, document: Json) -> Iterator[str]:
    """The fields of a successful response."""
    for status, response in operation["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if status < "300" and schema:
            yield f"<h4>Body of {status}</h4>"
            yield from _fields(schema, document)


def _fields(schema: Json, document: Json) -> Iterator[str]:
    yield from _list(
        (it.name, it.kind, it.description, it.is_required) for it in fields_of(schema, document)
    )


def _list(rows: Iterator[tuple[str, str, str, bool]]) -> Iterator[str]:
    """A definition list of names, types, descriptions, and whether each is required."""
    yield "<dl>"
    for name, kind, description, is_required in rows:
        required = " (required)" if is_required else ""
        type_ = f"<small>{escape(kind)}{required}</small> " if kind else ""
        about = f"{type_}{escape(description)}"
        yield f"<dt><code>{escape(name)}</code></dt><dd>{about or '&nbsp;'}</dd>"
    yield "</dl>"
