"""Requests to the APIs with the visitor's key. The console has no data of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson

from shared.errors import LeadbatonError, Rejected, Unavailable

TIMEOUT = httpx.Timeout(10.0, connect=2.0)
FAILED = 500
"""From this status on an API has not refused a request, but failed at it."""
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


class Service(StrEnum):
    """A service whose API the console asks."""

    SCORING = "scoring"
    ROUTING = "routing"
    SLA = "SLA monitor"
    ALIGNMENT = "alignment service"


class SignedOut(Rejected):
    """The visitor has no valid key any more."""

    code = "signed_out"
    status = 401


class ServiceAway(Unavailable):
    """An API does not answer."""

    code = "service_away"


class Refusal(LeadbatonError):
    """An API has refused a request; the message is its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.http_status = status
        self.problem_code = code


@dataclass(frozen=True, slots=True)
class Gap:
    """A part of a page whose service does not answer, with the sentence that stands in its place."""

    message: str


class CsvPart(NamedTuple):
    """Rows of a list as CSV, after the names of the columns, and the cursor of those that follow."""

    text: str
    next: str | None


class Connections:
    """The pooled connections to all APIs, which every visitor shares."""

    def __init__(self, urls: Mapping[Service, str], *, timeout: httpx.Timeout = TIMEOUT) -> None:
        self._urls = urls
        self._client = httpx.AsyncClient(timeout=timeout, limits=LIMITS, trust_env=False)

    def apis(self, key: str) -> Apis:
        """The APIs as the owner of this key sees them."""
        return Apis(self._client, self._urls, key)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class Apis:
    """The APIs as one visitor sees them. Every call raises SignedOut, Refusal or ServiceAway."""

    def __init__(self, client: httpx.AsyncClient, urls: Mapping[Service, str], key: str) -> None:
        self._client = client
        self._urls = urls
        self._headers = {"authorization": f"Bearer {key}"} if key else {}

    async def get(self, service: Service, path: str, **query: Any) -> Any:
        """The JSON at this path; query parameters that are None or empty are left out."""
        return await self._json("GET", service, path, query=query)

    async def post(
        self,
        service: Service,
        path: str,
        body: object = None,
        *,
        wait: httpx.Timeout | None = None,
        **query: Any,
    ) -> Any:
        """The JSON that the API answers to this body, within `wait` where that is not as long as for all requests."""
        return await self._json("POST", service, path, body=body, query=query, wait=wait)

    async def put(self, service: Service, path: str, body: object) -> Any:
        """The JSON that the API answers to this body."""
        return await self._json("PUT", service, path, body=body)

    async def delete(self, service: Service, path: str) -> Any:
        """The JSON that the API answers, or None."""
        return await self._json("DELETE", service, path)

    async def parts(self, **parts: Awaitable[Any]) -> dict[str, Any]:
        """The results by name, awaited together; a Gap in place of those whose service does not answer, or fails."""
        results = await asyncio.gather(*parts.values(), return_exceptions=True)
        return {name: _part(result) for name, result in zip(parts, results, strict=True)}

    async def csv(self, service: Service, path: str, **query: Any) -> CsvPart:
        """A list as CSV, or as many rows of it as the API gives at once."""
        response = await self._response("GET", service, path, query={**query, "format": "csv"})
        link = response.links.get("next", {}).get("url", "")
        cursors = parse_qs(urlsplit(link).query).get("after", [None])
        return CsvPart(response.text, cursors[0])

    @asynccontextmanager
    async def stream(self, service: Service, path: str) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a stream of server-sent events, without a limit on the time between them but its heartbeats."""
        url, timeout = self._urls[service] + path, httpx.Timeout(60.0, connect=2.0)
        try:
            async with self._client.stream(
                "GET", url, headers=self._headers, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    await response.aread()
                    _check(service, response)
                yield response.aiter_lines()
        except httpx.HTTPError:
            raise _away(service) from None

    async def _json(self, method: str, service: Service, path: str, **request: Any) -> Any:
        response = await self._response(method, service, path, **request)
        if not response.content:
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError:
            raise ServiceAway(f"what answers for the {service} is not its API") from None

    async def _response(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, Any] | None = None,
        wait: httpx.Timeout | None = None,
    ) -> httpx.Response:
        headers, content = self._headers, None
        if body is not None:
            headers, content = headers | {"content-type": "application/json"}, orjson.dumps(body)
        parameters = {
            name: value for name, value in (query or {}).items() if value not in (None, "", [])
        }
        url, timeout = self._urls[service] + path, self._client.timeout if wait is None else wait
        try:
            response = await self._client.request(
                method, url, headers=headers, content=content, params=parameters, timeout=timeout
            )
        except httpx.HTTPError:
            raise _away(service) from None
        _check(service, response)
        return response


def _part(result: Any) -> Any:
    """The result of a call, or what stands in its place; raises the error of a request that the API has refused."""
    if isinstance(result, ServiceAway):
        return Gap(result.message)
    if isinstance(result, Refusal) and result.http_status >= FAILED:
        return Gap(result.message)
    if isinstance(result, BaseException):
        raise result
    return result


def _away(service: Service) -> ServiceAway:
    return ServiceAway(f"the {service} does not answer: the rest of this page is as it should be")


def _check(service: Service, response: httpx.Response) -> None:
    """Raise the error that a response stands for."""
    if response.is_success:
        return
    if response.status_code in (502, 503, 504):
        raise _away(service)
    try:
        problem = orjson.loads(response.content)
        code, message = str(problem["code"]), str(problem["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        code, message = "internal", f"the {service} answered {response.status_code}"
    if response.status_code == 401 or code == "inactive_rep":
        raise SignedOut(message)
    raise Refusal(response.status_code, code, message)
