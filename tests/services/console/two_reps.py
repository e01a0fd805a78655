"""Two reps with a lead each: events, a score, a handoff, promises, webhooks; all names are HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.routing.tables import deliveries, handoffs
from services.scoring.queries.rejections import Body, Rejection, add_rejections
from services.sla_monitor.tables import clocks
from shared.db.session import Sessions
from tests.builders import NOON, marketing_event, minutes
from tests.services.alignment.builders import read
from tests.services.console.site import RunningConsole
from tests.services.routing.builders import announced, build_assigner, entry, importing, qualifying
from tests.services.scoring.conftest import Worker
from tests.services.sla_monitor.builders import handle_changes

FIELDS = {
    "hop": "1",
    "reason": "price",
    "channel": "phone",
    "outcome": "reached",
    "note": "n",
    "name": "Of ops",
    "query": "state=waiting",
    "rep": "linus",
    "endpoint": "rep/linus",
    "since": "2026-11-18",
    "until": "2026-11-18",
    "act": "replay",
    "q": "ines",
    "source": "leadbaton: 1",
}
"""Fields with which each form would be taken."""

LATER = NOON + minutes(90)
"""When both promises of each lead are broken."""

LEAD_CARD = {"questions": [{"field": "wish", "label": "Wish <b>of the lead"}]}
REPS = ("amira", "linus")
PHONES = {"ines": "+49 1555 0142717", "theo": "+49 1555 0142718"}
PEOPLE = tuple(PHONES)
HTML = ("<i>", "<b>", "<u>", "<img")
"""What no page may have as it is: the names and the events of these leads are made of it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What one rep holds: an id for each kind of address, and words that only this lead has."""

    ids: Mapping[str, str]
    words: tuple[str, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The words, and the ids that nobody else has been told."""
        return (*self.words, self.ids["leads"], self.ids["handoffs"])

    def path(self, pattern: str) -> str:
        """The address of a page or an act, with an id where the pattern has a variable part."""
        kind = "endpoints" if "/endpoints/" in pattern else pattern.split("/")[1]
        return re.sub(r"\{[^}]+\}", lambda _: self.ids[kind], pattern)


def add_two_reps(sessions: Sessions) -> dict[str, Holding]:
    """Ines and Theo asked for a demo at noon, and each rep has one of them. Returns what each rep holds, by rep."""
    with sessions.begin() as session:
        assigner = build_assigner(session, lead_card=LEAD_CARD)
        importing(session, *(entry(it, name=f"{it.title()} <b>rep</b>") for it in REPS))
        worker = Worker(session)
        for person in PEOPLE:
            worker.take(
                marketing_event(
                    id=f"{person}-viewed",
                    email=email_of(person),
                    context={"page": {"title": f"<u>{person}-title</u>"}},
                    traits={
                        "name": f"<i>{person}-name</i>",
                        "company": f"<img {person}-firm",
                        "phone": PHONES[person],
                    },
                    time=NOON - minutes(5),
                ),
                marketing_event(
                    "demo_requested",
                    id=f"{person}-asked",
                    email=email_of(person),
                    properties={"wish": f"<i>{person}-wishes</i>"},
                ),
            )
        qualifying(session, assigner, *worker.announced())
        changes = announced(session)
        handle_changes(session, *changes)
        worker.follow(*changes)
        read(session, *worker.announced(), *changes)
        body = Body.of(b'{"type": "<b>", "email": "noor-mail@secret.example"}', max_bytes=100)
        add_rejections(
            session, [Rejection("crm", "<i>", NOON, "invalid_event", "<u>", "native", body)]
        )
        return {rep: _holding(session, rep) for rep in REPS}


def email_of(person: str) -> str:
    """The address of the person."""
    return f"{person}-mail@secret.example"


def _holding(session: Session, rep: str) -> Holding:
    id_, lead_id, context = session.execute(
        select(
            handoffs.c.id, handoffs.c.lead_id, handoffs.c.lead[("context", "email")].astext
        ).where(handoffs.c.rep == rep)
    ).one()
    [delivery] = session.scalars(select(deliveries.c.id).where(deliveries.c.handoff_id == id_))
    clock = session.scalars(select(clocks.c.id).where(clocks.c.handoff_id == id_)).first()
    rejection = session.scalar(text("select id from scoring.rejections"))
    person = context.partition("-")[0]
    return Holding(
        ids={
            "leads": str(lead_id),
            "handoffs": str(id_),
            "deliveries": str(delivery),
            "sla": str(clock),
            "endpoints": f"rep/{rep}",
            "reps": rep,
            "events": str(rejection),
            "reroutes": str(UUID(int=0)),
        },
        words=(
            f"{person}-name",
            f"{person}-firm",
            f"{person}-title",
            f"{person}-mail",
            f"{person}-wishes",
            PHONES[person],
        ),
    )


@dataclass(frozen=True, slots=True)
class Installation:
    """A console, what Amira holds, and what Linus holds."""

    console: RunningConsole
    own: Holding
    others: Holding

    def state(self) -> dict[str, str | None]:
        """A digest of each table."""
        with self.console.sessions() as session:
            names = session.scalars(
                text(
                    "select table_schema || '.' || table_name from information_schema.tables "
                    "where table_schema in ('routing', 'scoring', 'sla', 'messaging')"
                )
            )
            digest = "select md5(string_agg(it::text, ' ' order by it::text)) from {} as it"
            return {name: session.scalar(text(digest.format(name))) for name in names.all()}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check that the block changes nothing."""
        before = self.state()
        yield
        assert self.state() == before


def sees(words: tuple[str, ...], page: str) -> list[str]:
    """Which of the words the page has."""
    return [it for it in words if it in page]
