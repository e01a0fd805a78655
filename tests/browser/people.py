"""An installation with the example's agreement and reps, and leads in every state of a handoff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.cli.processes import CONSOLE, ROUTING_API, SLA_API
from tests.conftest import ROOT
from tests.journey.world import Json, World, event, until

EXAMPLES = ROOT / "examples"
DOMAIN = "customer.example.com"
NAMES = {
    "site": "ingest",
    "amira": "rep",
    "jonas": "rep",
    "priya": "rep",
    "claire": "rep",
    "matthias": "rep",
    "ops": "ops",
}
"""The keys: subject and scope."""

PEOPLE: Mapping[str, Json] = {
    "ines": {"name": "Ines Duarte", "company": "Tidewater Analytics"},
    "oliver": {"name": "Oliver Whitfield", "company": "Kestrel Logistics", "country": "GB"},
    "mara": {"name": "Mara Lindqvist", "company": "Fjordline Software"},
    "theo": {"name": "Theo Brandt", "company": "Brandt & Söhne", "country": "DE"},
    "lucia": {"name": "Lucia Ferrari", "company": "Ferrari Retail", "country": "FR"},
    "noor": {"name": "Noor van Dijk", "company": "Waterlijn", "country": "NL"},
    "sam": {"name": "Sam Ortiz", "company": "Ortiz Fintech"},
    "greta": {"name": "Greta Vogel", "company": "Vogel AG", "country": "DE", "employees": 9000},
    "yuki": {"name": "Yuki Tanaka", "company": "Tanaka Systems", "country": "JP"},
    "script": {"name": "<script>alert(1)</script>", "company": '"><img src=x onerror=alert(1)>'},
}
"""The traits of each person. Nobody may take leads from JP; the name of the last is HTML."""
DEFAULTS = {"country": "US", "employees": 240, "industry": "software", "seniority": "director"}
ANSWERS: Mapping[str, tuple[tuple[str, Json], ...]] = {
    "oliver": (("accept", {}),),
    "mara": (("accept", {}), ("contact", {"channel": "phone", "outcome": "reached"})),
    "theo": (("win", {"amount": 12_000, "currency": "EUR"}),),
    "lucia": (("lose", {"reason": "no_budget"}),),
    "noor": (("reject", {"reason": "not_ready"}),),
    "sam": (("reject", {"reason": "no_capacity"}),),
}
"""What ops answer for the rep of each; nobody answers for the others, so that their promises are broken."""


def email_of(person: str) -> str:
    """The address of the person."""
    return f"{person}@{DOMAIN}"


def example_files(folder: Path, port: str = "PORT") -> Path:
    """The example's agreement and reps, with the endpoints of the tests' receiver."""
    folder.mkdir(parents=True)
    (folder / "agreement.yaml").write_text((EXAMPLES / "agreement.yaml").read_text())
    reps = (EXAMPLES / "reps.yaml").read_text()
    for example, ours in (("/reps/", "/rep/"), ("/teams/", "/team/"), ("/ops", "/ops")):
        reps = reps.replace(f"127.0.0.1:8010{example}", f"127.0.0.1:{port}{ours}")
    (folder / "reps.yaml").write_text(reps)
    return folder


@dataclass(frozen=True)
class Console:
    """The console of a running installation."""

    world: World

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.world.installation.url(CONSOLE)

    def link(self, *options: str) -> str:
        """A link that signs in once."""
        return self.world.command("console", "link", *options).strip()

    def handoff(self, person: str) -> Json:
        """The person's newest handoff."""
        return self.world.handoffs(email_of(person))[0]

    def ops(self, path: str, body: Json | None = None) -> httpx.Response:
        """Post to routing as ops."""
        with self.world.client(ROUTING_API, "ops") as client:
            return client.post(path, json=body or {})

    def ask(self, person: str, **traits: Any) -> Json:
        """Let somebody ask for a demo, and return the handoff once a rep has it."""
        asks = event(email_of(person), "demo_requested", "asks", traits={**DEFAULTS, **traits})
        self.world.send([asks])
        return self.world.handoff(email_of(person), "assigned")

    def breached(self, handoff_id: str) -> Json:
        """A promise on the handoff, once it is broken."""

        def find_breach() -> Json | None:
            clocks = self.world.get(SLA_API, "/v1/sla/clocks", handoff=handoff_id)["items"]
            return next((it for it in clocks if it["breached_at"] is not None), None)

        return until(find_breach, why="a promise is broken")

    def samples(self) -> dict[str, Any]:
        """An id for each kind of page that has one in its path."""
        handoff = self.handoff("mara")
        delivery = self.world.get(ROUTING_API, f"/v1/handoffs/{handoff['id']}")["deliveries"][0]
        clock = self.world.get(SLA_API, "/v1/sla/breaches")["items"][0]
        return {
            "leads": handoff["lead_id"],
            "handoffs": handoff["id"],
            "deliveries": delivery["id"],
            "sla": clock["id"],
            "reroutes": self.ops("/v1/reroutes", {"rep": "priya"}).json()["id"],
            "reps": "amira",
            "agreement": "1",
        }


WORDS = {
    "message": "We wait for days.\n<b>Nobody</b> calls, " + "really" * 20 + "!",
    "pain": "العملاء ينتظرون أياما 👩\u200d💻",
}
"""What they write: two lines, a long word, HTML, right to left, a picture of several characters."""


def fill(world: World) -> None:
    """Let everybody ask for a demo, and answer for some; return when a promise is broken."""
    for person, own_traits in PEOPLE.items():
        traits = {**DEFAULTS, **own_traits}
        views = [
            event(
                email_of(person), "page_viewed", f"view-{number}", properties={"path": "/pricing"}
            )
            for number in range(3)
        ]
        asks = event(email_of(person), "demo_requested", "asks", traits=traits, properties=WORDS)
        world.send([*views, asks])
    console = Console(world)
    for person in PEOPLE:
        state = "waiting" if person == "yuki" else "assigned"
        handoff = world.handoff(email_of(person), state)
        for verb, body in ANSWERS.get(person, ()):
            answer = console.ops(f"/v1/handoffs/{handoff['id']}/{verb}", body)
            assert answer.status_code == 200, answer.text
    until(lambda: world.get(SLA_API, "/v1/sla/breaches")["items"], why="a promise is broken")
