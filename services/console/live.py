"""Live pages: each view is rendered once for all who look at it, and sent to them as a stream.

A stream carries the state of the page, not its changes: whoever was away gets the newest state, and nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from random import SystemRandom

from services.console.apis import Apis, Refusal, Service, ServiceAway, SignedOut
from services.console.pages.page import Stream
from shared.errors import Unavailable
from shared.process import logs

JOIN_S = 0.25
"""Changes within this time are shown together."""

RENEWAL_S = 30.0
"""A view is rendered anew after this time, also without a change: times go on."""

RETRY_S = 2.0
"""How long a stream of an API waits after it was cut."""

HEARTBEAT_S = 15.0
"""A stream without news sends a comment after this time, so that proxies keep it."""

KEY_CHECK_S = 30.0
"""How often the key of each viewer is checked."""

MAX_VIEWERS = 2_000
"""Viewers of one process."""

MAX_PENDING = 4
"""States that wait for a slow viewer; one more, and it is told to reload."""

RELOAD = b"event: reload\ndata:\n\n"
HEARTBEAT = b":\n\n"

Render = Callable[[Apis], Awaitable[str]]
log = logs.get(__name__)
_RANDOM = SystemRandom()


class TooManyViewers(Unavailable):
    """The process has as many viewers of live pages as it may have."""

    code = "too_many_viewers"


@dataclass(frozen=True, slots=True)
class State:
    """A state of a view: the event as it is sent, and its id."""

    id: str
    event: bytes


def state_of(fragment: str) -> State:
    """The event that replaces the live region; its id is a hash of the fragment."""
    id_ = sha256(fragment.encode()).hexdigest()[:16]
    data = "".join(f"data: {line}\n" for line in fragment.splitlines())
    return State(id_, f"id: {id_}\n{data}\n".encode())


@dataclass(eq=False, slots=True)
class Viewer:
    """One open page."""

    apis: Apis
    states: asyncio.Queue[State | None] = field(
        default_factory=lambda: asyncio.Queue(MAX_PENDING + 1)
    )
    """The states to send; None ends the stream."""
    is_slow: bool = False


class Channel:
    """One view, with everybody who looks at it."""

    def __init__(
        self, streams: tuple[Stream, ...], render: Render, *, renewal_s: float = RENEWAL_S
    ) -> None:
        self.viewers: list[Viewer] = []
        self._streams = streams
        self._render = render
        self._renewal_s = renewal_s
        self._change = asyncio.Event()
        self._state: State | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def _start(self) -> None:
        self._change.set()
        self._tasks = [asyncio.create_task(self._renew())]
        self._tasks += [asyncio.create_task(self._listen(it)) for it in self._streams]
        for task in self._tasks:
            task.add_done_callback(self._note_end)

    def stop(self) -> None:
        """Stop listening."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def add(self, viewer: Viewer) -> None:
        """Add a viewer, who gets the present state at once; with the first one the channel begins to listen."""
        self.viewers.append(viewer)
        if not self._tasks:
            self._start()
        if self._state is not None:
            viewer.states.put_nowait(self._state)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Let all viewers reload after a bug, whose page then says what happened."""
        if not task.cancelled():
            log.error("a live view has failed", exc_info=task.exception())
            for viewer in self.viewers:
                viewer.is_slow = True

    async def _renew(self) -> None:
        """Render the view after each change, and give it to all viewers if it differs."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._change.wait(), self._renewal_s)
            self._change.clear()
            try:
                fragment = await self._render(self.viewers[0].apis)
            except (SignedOut, Refusal, ServiceAway):
                self.viewers.append(self.viewers.pop(0))  # another viewer's key may still be valid
                self._change.set()
                await asyncio.sleep(RETRY_S)
                continue
            self._give(state_of(fragment))
            await asyncio.sleep(JOIN_S)

    def _give(self, state: State) -> None:
        if self._state is not None and self._state.id == state.id:
            return
        self._state = state
        for viewer in self.viewers:
            if viewer.states.qsize() < MAX_PENDING:
                viewer.states.put_nowait(state)
            else:
                viewer.is_slow = True

    async def _listen(self, stream: Stream) -> None:
        """Note each change that the API announces; what happened while the stream was cut is a change too."""
        while True:
            try:
                async with self.viewers[0].apis.stream(stream.service, stream.path) as lines:
                    self._change.set()
                    async for line in lines:
                        if line.startswith("data:"):
                            self._change.set()
            except (SignedOut, Refusal, ServiceAway) as error:
                log.info("stream is cut", service=stream.service, error=error.code)
            await asyncio.sleep(RETRY_S)


class Channels:
    """The channels of this process, by view and audience."""

    def __init__(
        self,
        max_viewers: int = MAX_VIEWERS,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        key_check_s: float = KEY_CHECK_S,
        renewal_s: float = RENEWAL_S,
    ) -> None:
        self._max_viewers = max_viewers
        self._heartbeat_s = heartbeat_s
        self._key_check_s = key_check_s
        self._renewal_s = renewal_s
        self._channels: dict[tuple[str, str, str], Channel] = {}
        self._is_ending = False

    def end_all(self) -> None:
        """End all streams, and open no more."""
        self._is_ending = True
        for channel in self._channels.values():
            for viewer in channel.viewers:
                if not viewer.states.full():
                    viewer.states.put_nowait(None)

    def events(
        self,
        view: tuple[str, str, str],
        apis: Apis,
        *,
        streams: tuple[Stream, ...],
        render: Render,
        last_id: str | None,
    ) -> AsyncGenerator[bytes]:
        """The events of a view: its states as they come, except the one that the viewer has; raises TooManyViewers."""
        viewers = sum(len(it.viewers) for it in self._channels.values())
        if self._is_ending or viewers >= self._max_viewers:
            raise TooManyViewers("too many people look at live pages: reload this one in a moment")
        channel = self._channels.get(view)
        if channel is None:
            channel = Channel(streams, render, renewal_s=self._renewal_s)
        return self._of_viewer(view, channel, Viewer(apis), last_id)

    async def _of_viewer(
        self, view: tuple[str, str, str], channel: Channel, viewer: Viewer, last_id: str | None
    ) -> AsyncGenerator[bytes]:
        """The events, once they are read: a response that is never begun leaves nothing behind."""
        clock = asyncio.get_running_loop().time
        # spread: many come at once, after the console was restarted
        check_at_s = clock() + self._key_check_s * _RANDOM.random()
        channel = self._channels.setdefault(view, channel)
        channel.add(viewer)
        try:
            yield HEARTBEAT
            while not viewer.is_slow:
                if clock() >= check_at_s:
                    await _check_key(viewer)
                    check_at_s = clock() + self._key_check_s
                try:
                    state = await asyncio.wait_for(viewer.states.get(), self._heartbeat_s)
                except TimeoutError:
                    yield HEARTBEAT
                    continue
                if state is None:
                    return
                if state.id != last_id:
                    yield state.event
                last_id = None
            yield RELOAD
        except SignedOut:
            yield RELOAD
        finally:
            channel.viewers.remove(viewer)
            if not channel.viewers:
                channel.stop()
                del self._channels[view]


async def _check_key(viewer: Viewer) -> None:
    """Raise SignedOut if the viewer's key is no longer valid."""
    with suppress(Refusal, ServiceAway):
        await viewer.apis.get(Service.ROUTING, "/v1/key")
