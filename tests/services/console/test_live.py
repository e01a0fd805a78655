"""Live views: rendered once for all, resumed by the id, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from services.console.apis import Apis, Connections, Refusal, Service, SignedOut
from services.console.live import (
    HEARTBEAT,
    MAX_PENDING,
    RELOAD,
    Channels,
    Render,
    TooManyViewers,
    state_of,
)
from tests.serving import serving

VIEW = ("/", "ops", "UTC")
NOWHERE = dict.fromkeys(Service, "http://127.0.0.1:9")


class Page:
    """A page that changes when it is told to, and counts how often it was rendered."""

    def __init__(self) -> None:
        self.text = "one"
        self.rendered = 0
        self.errors: list[Exception] = []

    async def render(self, _: Apis) -> str:
        """The page as it is now."""
        self.rendered += 1
        if self.errors:
            raise self.errors.pop()
        return (
            f"<div id='live'>{self.text}\n{self.rendered if self.text == 'restless' else ''}</div>"
        )


def stream(
    channels: Channels, render: Render, *, last_id: str | None = None
) -> AsyncGenerator[bytes]:
    """One viewer's events."""
    apis = Connections(NOWHERE).apis("k")
    return channels.events(VIEW, apis, streams=(), render=render, last_id=last_id)


async def next_event(events: AsyncGenerator[bytes]) -> bytes:
    """The next event that is no heartbeat."""
    while True:
        event = await asyncio.wait_for(anext(events), 5)
        if event != HEARTBEAT:
            return event


def test_a_state_is_one_event_whatever_lines_it_has() -> None:
    state = state_of("a\nb")
    assert state.event == f"id: {state.id}\ndata: a\ndata: b\n\n".encode()
    assert state_of("a\nb") == state
    assert state_of("a\nc").id != state.id


async def _two_viewers() -> None:
    page, channels = Page(), Channels()
    first, second = stream(channels, page.render), stream(channels, page.render)
    event = await next_event(first)
    assert await next_event(second) is event
    assert page.rendered == 1


def test_a_view_is_rendered_once_for_all_who_look_at_it() -> None:
    asyncio.run(_two_viewers())


async def _resumed() -> None:
    page, channels = Page(), Channels()
    id_ = state_of(await page.render(Connections(NOWHERE).apis("k"))).id
    events = stream(channels, page.render, last_id=id_)
    assert await anext(events) == HEARTBEAT
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(events), 1)


def test_who_has_the_state_is_not_sent_it_again() -> None:
    asyncio.run(_resumed())


async def _bounded() -> None:
    channels, page = Channels(max_viewers=1), Page()
    events = stream(channels, page.render)
    await next_event(events)
    with pytest.raises(TooManyViewers):
        stream(channels, page.render)
    channels.end_all()
    assert [it async for it in events] == []
    with pytest.raises(TooManyViewers):
        stream(channels, page.render)


def test_viewers_are_bounded_and_streams_end_with_the_process() -> None:
    asyncio.run(_bounded())


async def _slow() -> None:
    channels, page = Channels(renewal_s=0.05), Page()
    slow_events, quick_events = (
        stream(channels, page.render),
        stream(channels, page.render),
    )
    await next_event(slow_events)
    await next_event(quick_events)
    for number in range(MAX_PENDING + 2):
        page.text = str(number)
        assert f">{number}".encode() in await next_event(quick_events)
    received = [it async for it in slow_events]
    assert received[-1] == RELOAD
    assert len(received) <= MAX_PENDING + 1


def test_a_slow_viewer_is_told_to_reload_and_delays_nobody() -> None:
    asyncio.run(_slow())


async def _failing(error: Exception) -> None:
    channels, page = Channels(), Page()
    page.errors = [error]
    events = stream(channels, page.render)
    assert b"one" in await next_event(events)
    assert page.rendered == 2


@pytest.mark.parametrize("error", [SignedOut("x"), Refusal(500, "internal", "x")])
def test_a_view_that_failed_is_rendered_again(error: Exception) -> None:
    asyncio.run(_failing(error))


async def _quiet() -> None:
    channels, page = Channels(heartbeat_s=0.05), Page()
    events = stream(channels, page.render)
    await next_event(events)
    assert await asyncio.wait_for(anext(events), 5) == HEARTBEAT
    assert await asyncio.wait_for(anext(events), 5) == HEARTBEAT


def test_a_quiet_stream_says_that_it_is_alive() -> None:
    asyncio.run(_quiet())


async def _checked(url: str) -> None:
    channels, page = Channels(heartbeat_s=0.05, key_check_s=0.1), Page()
    connections = Connections(dict.fromkeys(Service, url))
    events = channels.events(
        VIEW, connections.apis("k"), streams=(), render=page.render, last_id=None
    )
    received = [event async for event in events if event != HEARTBEAT]
    assert received[-1] == RELOAD
    await connections.close()


def test_a_stream_ends_with_its_viewers_key() -> None:
    app = FastAPI()
    app.state.streams = Channels()

    @app.get("/v1/key")
    def refuse() -> Response:
        return JSONResponse({"code": "unknown_key", "message": "revoked"}, 401)

    with serving(app) as url:
        asyncio.run(_checked(url))


async def _never_read() -> None:
    channels, page = Channels(max_viewers=1), Page()
    stream(channels, page.render)
    async with aclosing(stream(channels, page.render)) as events:
        assert b"one" in await next_event(events)
    page.text = "two"
    assert b"two" in await next_event(stream(channels, page.render))


def test_a_response_that_is_never_begun_counts_as_no_viewer_and_a_view_begins_anew() -> None:
    asyncio.run(_never_read())
