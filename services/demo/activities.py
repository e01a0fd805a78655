"""The activities of invented people: visits, forms and mails over some weeks, in order."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from random import Random
from typing import Any

from services.demo import world
from services.demo.personas import Person, choose, people_of

SPAN = timedelta(weeks=5)
"""How much of the past a demonstration covers."""


class Channel(StrEnum):
    """The platform that sends an activity: the site with Segment's client, or the mailing tool in native batches."""

    WEBSITE = "website"
    MAILINGS = "mailings"


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that one person did at one instant."""

    id: str
    at: datetime
    channel: Channel
    type: str
    person: Person
    properties: dict[str, Any] = field(default_factory=dict)
    campaign: world.Campaign | None = None


IDENTIFIED = "identified"
"""The type of the activity in which a visitor identifies, the site's `identify`."""


def activities_of(seed: int, people: int, *, until: datetime, run: str) -> list[Activity]:
    """The activities of `people` people in the weeks before `until`, in order; their ids begin with `run`."""
    random = Random(seed)
    everybody = people_of(seed, people)
    all_activities = [
        activity
        for _, of_kind in groupby(everybody, key=lambda it: it.kind.name)
        for person, end in _ends(random, list(of_kind), until)
        for activity in _journey(random, person, begin=until - SPAN, end=end)
        if activity.at < until
    ]
    all_activities.sort(key=lambda it: it.at)
    return [
        replace(activity, id=f"{run}-{number:05d}")
        for number, activity in enumerate(all_activities, start=1)
    ]


def _ends(
    random: Random, people: list[Person], until: datetime
) -> Iterator[tuple[Person, datetime]]:
    """Each person with the end of their last visit; the ends are spread evenly over the weeks."""
    slot = SPAN * 0.96 / len(people)
    for number, person in enumerate(people):
        yield person, until - slot * (number + random.random())


def _journey(
    random: Random, person: Person, *, begin: datetime, end: datetime
) -> Iterator[Activity]:
    """One person's activities: some visits, a form that identifies them, mails after it, perhaps a request."""
    kind = person.kind
    start = max(begin, end - timedelta(days=random.uniform(*kind.days)))
    count = random.randint(*kind.sessions)
    visits = sorted(start + (end - start) * random.random() for _ in range(count - 1))
    known_from = random.randrange(count) if kind.form_name else count
    campaign = random.choice(world.CAMPAIGNS) if random.random() < 0.6 else None
    for number, begins in enumerate([*visits, end]):
        at = yield from _visit(random, person, begins, None if number else campaign)
        if number == known_from:
            at = yield from _identification(random, person, at)
        if number >= known_from and number < count - 1:
            yield from _mails(random, person, at)
    if last := choose(random, kind.ends_with):
        yield from _request(random, person, at, last)


def _visit(
    random: Random, person: Person, at: datetime, campaign: world.Campaign | None
) -> Generator[Activity, None, datetime]:
    """Some page views; returns the time of the last."""
    for number in range(random.randint(*person.kind.pages)):
        page = _page(random, choose(random, person.kind.reads))
        yield Activity(
            "", at, Channel.WEBSITE, "page_viewed", person, page, None if number else campaign
        )
        at += timedelta(seconds=0.4 if person.kind.bot else random.uniform(15, 150))
    return at


def _page(random: Random, section: str) -> dict[str, Any]:
    leaves = {"/blog": world.BLOG, "/docs": world.DOCS}
    path = f"{section}/{random.choice(leaves[section])}" if section in leaves else section
    title = path.strip("/").replace("/", ": ").replace("-", " ").capitalize() or "Home"
    return {"path": path, "url": world.SITE + path, "title": title}


def _identification(
    random: Random, person: Person, at: datetime
) -> Generator[Activity, None, datetime]:
    """The form that identifies the person; returns the time at which they go on."""
    yield Activity("", at, Channel.WEBSITE, IDENTIFIED, person)
    at += timedelta(seconds=1)
    yield Activity("", at, Channel.WEBSITE, "form_submitted", person, _form_fields(person))
    return at + timedelta(seconds=random.uniform(10, 60))


def _form_fields(person: Person) -> dict[str, Any]:
    """What the person writes into the form; the calculator asks how many leads come a month."""
    fields: dict[str, Any] = {"form": person.kind.form_name}
    if person.kind.form_name == "roi_calculator":
        fields["leads_a_month"] = int(person.traits["employees"]) // 4
    return fields


def _mails(random: Random, person: Person, at: datetime) -> Iterator[Activity]:
    """The mailing tool's events of an identified person."""
    later = at + timedelta(hours=random.uniform(2, 30))
    if random.random() < person.kind.mails_opened:
        mailing = {"mailing": random.choice(world.BLOG), "link": world.SITE + "/product"}
        yield Activity("", later, Channel.MAILINGS, "email_clicked", person, mailing)
    if random.random() < person.kind.webinar:
        webinar = {"webinar": "Answering leads in five minutes"}
        yield Activity("", later, Channel.MAILINGS, "webinar_registered", person, webinar)
        if random.random() < 0.7:
            later += timedelta(hours=random.uniform(4, 40))
            yield Activity("", later, Channel.MAILINGS, "webinar_attended", person, webinar)


WISHES = (
    "Leads wait for days before anybody calls them.",
    "We need to see which rep has a lead, and since when.",
    "Two reps called the same customer twice last week.",
    "Our routing is a spreadsheet and it breaks every month.",
)


def _request(random: Random, person: Person, at: datetime, type_: str) -> Iterator[Activity]:
    page = _page(random, "/pricing")
    yield Activity("", at, Channel.WEBSITE, "page_viewed", person, page)
    at += timedelta(seconds=random.uniform(20, 90))
    properties = (
        {"message": random.choice(WISHES)} if type_ != "trial_started" else {"plan": "team"}
    )
    yield Activity("", at, Channel.WEBSITE, type_, person, properties)
