"""What the people do: their visits, forms and mails over some weeks, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from random import Random
from typing import Any

from services.demo import world
from services.demo.personas import Person, chosen, people_of

SPAN = timedelta(weeks=5)
"""How much of the past a demonstration tells."""


class Channel(StrEnum):
    """Which platform tells it: the site through Segment's client, the mailing tool by native batches."""

    WEBSITE = "website"
    MAILINGS = "mailings"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that one person did at one instant."""

    id: str
    at: datetime
    channel: Channel
    type: str
    who: Person
    properties: dict[str, Any] = field(default_factory=dict)
    campaign: world.Campaign | None = None


IDENTIFIED = "identified"
"""Somebody said who they are: the site's `identify`."""


def acts_of(seed: int, people: int, *, until: datetime, run: str) -> list[Act]:
    """Everything that `people` people did in the weeks before `until`; ids belong to this run."""
    random = Random(seed)
    crowd = people_of(seed, people)
    happened = [
        act
        for _, of_kind in groupby(crowd, key=lambda it: it.kind.name)
        for who, end in _ends(random, list(of_kind), until)
        for act in _journey(random, who, begin=until - SPAN, end=end)
        if act.at < until
    ]
    happened.sort(key=lambda it: it.at)
    return [replace(act, id=f"{run}-{number:05d}") for number, act in enumerate(happened, start=1)]


def _ends(
    random: Random, crowd: list[Person], until: datetime
) -> Iterator[tuple[Person, datetime]]:
    """When each one's visit ends: spread evenly, so that a small crowd too fills the weeks."""
    slot = SPAN * 0.96 / len(crowd)
    for number, who in enumerate(crowd):
        yield who, until - slot * (number + random.random())


def _journey(random: Random, who: Person, *, begin: datetime, end: datetime) -> Iterator[Act]:
    """One person's way: some visits, a form that tells who they are, mails after it, perhaps a request."""
    kind = who.kind
    start = max(begin, end - timedelta(days=random.uniform(*kind.days)))
    count = random.randint(*kind.sessions)
    visits = sorted(start + (end - start) * random.random() for _ in range(count - 1))
    known_from = random.randrange(count) if kind.form else count
    campaign = random.choice(world.CAMPAIGNS) if random.random() < 0.6 else None
    for number, begins in enumerate([*visits, end]):
        at = yield from _visit(random, who, begins, None if number else campaign)
        if number == known_from:
            at = yield from _form(random, who, at)
        if number >= known_from and number < count - 1:
            yield from _mails(random, who, at)
    if last := chosen(random, kind.ends_with):
        yield from _request(random, who, at, last)


def _visit(
    random: Random, who: Person, at: datetime, campaign: world.Campaign | None
) -> Generator[Act, None, datetime]:
    """Some pages; returns when the last was read."""
    for number in range(random.randint(*who.kind.pages)):
        page = _page(random, chosen(random, who.kind.reads))
        yield Act("", at, Channel.WEBSITE, "page_viewed", who, page, None if number else campaign)
        at += timedelta(seconds=0.4 if who.kind.bot else random.uniform(15, 150))
    return at


def _page(random: Random, section: str) -> dict[str, Any]:
    leaves = {"/blog": world.BLOG, "/docs": world.DOCS}
    path = f"{section}/{random.choice(leaves[section])}" if section in leaves else section
    title = path.strip("/").replace("/", ": ").replace("-", " ").capitalize() or "Home"
    return {"path": path, "url": world.SITE + path, "title": title}


def _form(random: Random, who: Person, at: datetime) -> Generator[Act, None, datetime]:
    """The form that tells who somebody is; returns when they go on."""
    yield Act("", at, Channel.WEBSITE, IDENTIFIED, who)
    at += timedelta(seconds=1)
    yield Act("", at, Channel.WEBSITE, "form_submitted", who, {"form": who.kind.form})
    return at + timedelta(seconds=random.uniform(10, 60))


def _mails(random: Random, who: Person, at: datetime) -> Iterator[Act]:
    """What the mailing tool sees of somebody whose address it has."""
    later = at + timedelta(hours=random.uniform(2, 30))
    if random.random() < who.kind.mails_opened:
        mailing = {"mailing": random.choice(world.BLOG), "link": world.SITE + "/product"}
        yield Act("", later, Channel.MAILINGS, "email_clicked", who, mailing)
    if random.random() < who.kind.webinar:
        webinar = {"webinar": "Answering leads in five minutes"}
        yield Act("", later, Channel.MAILINGS, "webinar_registered", who, webinar)
        if random.random() < 0.7:
            later += timedelta(hours=random.uniform(4, 40))
            yield Act("", later, Channel.MAILINGS, "webinar_attended", who, webinar)


WISHES = (
    "Leads wait for days before anybody calls them.",
    "We need to see who holds a lead and since when.",
    "Two reps called the same customer twice last week.",
    "Our routing is a spreadsheet and it breaks every month.",
)


def _request(random: Random, who: Person, at: datetime, type_: str) -> Iterator[Act]:
    page = _page(random, "/pricing")
    yield Act("", at, Channel.WEBSITE, "page_viewed", who, page)
    at += timedelta(seconds=random.uniform(20, 90))
    said = {"message": random.choice(WISHES)} if type_ != "trial_started" else {"plan": "team"}
    yield Act("", at, Channel.WEBSITE, type_, who, said)
