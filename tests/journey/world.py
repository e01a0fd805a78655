"""A running installation, with clients for senders, reps and ops."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import httpx
import orjson

from services.cli.installation import Installation, installation
from services.cli.processes import ROUTING_API, SCORING_API, SLA_API, Process
from shared.clock import utc_now
from shared.embedded.broker import Broker
from shared.embedded.reaper import is_alive
from shared.embedded.stack import LogServer, Stack
from tests.commands import leadbaton
from tests.journey.receiver import Receiver, listening
from tests.kafka.server import ApacheKafka
from tests.loopback import NO_TLS

FOLDER = Path(__file__).parent
T = TypeVar("T")
Json = dict[str, Any]
_numbers = itertools.count(1)


def until(
    look: Callable[[], T | None], *, within_s: float = 90.0, why: str = "", every_s: float = 0.05
) -> T:
    """Call `look` until its result is true, and return the result."""
    end, pause = time.monotonic() + within_s, Event()
    while not (result := look()):
        assert time.monotonic() < end, f"not within {within_s} s: {why or look}"
        pause.wait(every_s)
    return result


def event(email: str, type: str, id: str, **more: object) -> Json:
    """A native event with the present time."""
    return {
        "id": f"{email}/{id}",
        "type": type,
        "time": utc_now().isoformat(),
        "lead": {"email": email},
        **more,
    }


@dataclass
class World:
    """An installation, as a test uses it over HTTP and by signals."""

    installation: Installation
    receiver: Receiver
    keys: Mapping[str, str]
    reps: Path
    """The file of reps, with the receiver's endpoints."""
    _tending: ExitStack = field(default_factory=ExitStack, init=False)
    neglected: bool = field(default=True, init=False)
    """Whether processes that end are not started again."""

    def fresh(self, name: str) -> str:
        """An e-mail address that is new to the test."""
        return f"{name}-{next(_numbers)}@customer.example.com"

    def command(self, *arguments: str) -> str:
        """Run `leadbaton ARGUMENTS` on this installation; its standard output."""
        return command_on(self.installation, *arguments)

    def client(self, process: Process, key: str) -> httpx.Client:
        """A client of one API, with the key of this name."""
        return httpx.Client(
            base_url=self.installation.url(process),
            headers={"authorization": f"Bearer {self.keys[key]}"},
            timeout=15,
            trust_env=False,
            verify=NO_TLS,
        )

    def post(self, events: Sequence[Json], **headers: str) -> httpx.Response:
        """Send native events."""
        with self.client(SCORING_API, "site") as client:
            return client.post("/v1/events", json=list(events), headers=headers)

    def send(self, events: Sequence[Json], within_s: float = 30.0) -> None:
        """Send the events as a good client does: again, until each is accepted."""

        def accepted() -> bool:
            try:
                answer = self.post(events)
            except httpx.TransportError:
                return False
            return answer.status_code == 200 and all(
                it["status"] == "ok" for it in answer.json()["results"].values()
            )

        until(accepted, within_s=within_s, why="events accepted")

    def get(self, process: Process, path: str, **parameters: Any) -> Json:
        """The JSON that the API answers to ops."""
        answer = self.ask(process, path, **parameters)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ask(self, process: Process, path: str, **parameters: Any) -> httpx.Response:
        """The API's answer, as soon as there is one: the process may have been killed a moment ago."""

        def find_answer() -> list[httpx.Response]:
            try:
                with self.client(process, "ops") as client:
                    answer = client.get(path, params=parameters)
            except httpx.TransportError:
                return []
            return [] if answer.status_code == 503 else [answer]

        [answer] = until(find_answer, why=path)
        return answer

    def lead(self, email: str) -> Json | None:
        """The lead, if it is known yet."""
        answer = self.ask(SCORING_API, "/v1/leads", email=email)
        return dict(answer.json()) if answer.status_code == 200 else None

    def handoffs(self, email: str) -> list[Json]:
        """Every handoff of the lead."""
        lead = self.lead(email)
        if lead is None:
            return []
        return list(self.get(ROUTING_API, "/v1/handoffs", lead=lead["id"])["items"])

    def handoff(self, email: str, state: str) -> Json:
        """The lead's one handoff, once it is in this state."""

        def find_handoff() -> Json | None:
            handoffs = self.handoffs(email)
            return handoffs[0] if handoffs and handoffs[0]["state"] == state else None

        return until(find_handoff, why=f"{email} {state}")

    def answer(self, rep: str, handoff_id: str, verb: str, **body: Any) -> httpx.Response:
        """The rep's answer, with the rep's own key."""
        with self.client(ROUTING_API, rep) as client:
            return client.post(f"/v1/handoffs/{handoff_id}/{verb}", json=body)

    def clocks(self, handoff_id: str) -> dict[str, Json]:
        """The handoff's clocks by policy."""
        clocks: dict[str, Json] = {}
        after: str | None = None
        while True:
            parameters = {"limit": 200} | ({"after": after} if after else {})
            page = self.get(SLA_API, "/v1/sla/clocks", **parameters)
            clocks |= {it["policy"]: it for it in page["items"] if it["handoff_id"] == handoff_id}
            if (after := page["next"]) is None:
                return clocks

    def kill(self, process: Process) -> None:
        """Kill the process with SIGKILL. Where it has ended a moment ago, the one that follows is killed."""
        self._signal(process, signal.SIGKILL)

    @contextmanager
    def suspended(self, process: Process) -> Iterator[None]:
        """Let the process stand still in the block."""
        pid = self._signal(process, signal.SIGSTOP)
        assert pid is not None
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def _signal(self, process: Process, number: signal.Signals) -> int | None:
        """The id of the process that got the signal. The supervisor may not have seen yet that one has ended."""

        def find_pid() -> list[int | None]:
            pid = self.installation.supervisor.pid(process.name)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                    return [pid]
            return [None] if self.neglected else []

        [pid] = until(find_pid, within_s=30, why=f"{process.name} runs")
        return pid

    @contextmanager
    def without(self, *processes: Process) -> Iterator[None]:
        """Stop the processes in the block, after which they are ready again."""
        self.neglect()
        for process in processes:
            self.installation.supervisor.end(process.name)
        self.maintain()
        try:
            yield
        finally:
            self.neglect()
            for process in processes:
                self.installation.supervisor.add(self.installation.program(process))
            self.installation.supervisor.wait_ready(60)
            self.maintain()

    @contextmanager
    def same_reps_after(self) -> Iterator[None]:
        """Import the file of reps after the block: who left is back, and deleted endpoints are there again."""
        try:
            yield
        finally:
            added = orjson.loads(self.command("reps", "import", str(self.reps)))
            self.receiver.secrets = {**self.receiver.secrets, **added}

    def crash_database(self) -> None:
        """Stop PostgreSQL as a power cut does, and return when it has stopped; `tend` starts it again."""
        pid = self.installation.stack.postgres.read_pid()
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not is_alive(pid), why="PostgreSQL is dead")

    def maintain(self) -> None:
        """Start processes and servers again when they end, from now on."""
        self._tending.enter_context(self.installation.keep_running())
        self.neglected = False

    def neglect(self) -> None:
        """Leave processes and servers that end, from now on."""
        self._tending.close()
        self.neglected = True

    def restart(self) -> None:
        """Let every process and both servers run again."""
        self.neglect()
        broker = self.installation.stack.broker
        if isinstance(broker, Broker | ApacheKafka):
            broker.resume()
        self.installation.stack.maintain()
        self.installation.supervisor.wait_ready(60)
        self.maintain()


KEYS = {"site": "ingest", "ada": "rep", "bob": "rep", "cyd": "rep", "ops": "ops"}


@contextmanager
def world(
    data: Path,
    make_broker: Callable[[Path, int], LogServer],
    *,
    files: Path = FOLDER,
    names: Mapping[str, str] = KEYS,
) -> Iterator[World]:
    """Servers, processes, keys, the agreement and the reps of the folder `files`, and their endpoints."""
    with (
        listening() as receiver,
        installation(Stack(data, make_broker=make_broker), {}) as running,
    ):
        reps = data / "reps.yaml"
        port = str(receiver.server_address[1])
        reps.write_text((files / "reps.yaml").read_text().replace("PORT", port))
        command_on(running, "agreement", "publish", str(files / "agreement.yaml"))
        receiver.secrets = orjson.loads(command_on(running, "reps", "import", str(reps)))
        keys = {
            name: command_on(running, "keys", "create", "--scope", scope, "--subject", name).strip()
            for name, scope in names.items()
        }
        running.start(timeout_s=90)
        world = World(running, receiver, keys, reps)
        world.maintain()
        try:
            yield world
        finally:
            world.neglect()


def command_on(running: Installation, *arguments: str) -> str:
    """Run `leadbaton ARGUMENTS` on the installation, by a fork that has imported it; its standard output."""
    completed = leadbaton(*arguments, **running.environment)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout
