"""Who is who: which lead each event belongs to, and which leads turn out to be one person.

An event that shows two identities of two leads joins them. The older lead stays, but an anonymous visitor never wins
over a known person. Two different e-mails are two people, unless an alias says otherwise: the event is then its
e-mail's, and a weaker identity that it shows stays with whom it was first seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID, uuid5

from services.scoring.domain.profile import event_key
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from shared.errors import Rejected

LEADS = UUID("5f0a6a52-35d8-5f7b-9ef6-0d0f3c1d6a01")
"""The namespace of lead ids: a lead's id derives from the first event that showed it."""

ANONYMOUS = "anonymous/"


class NobodyShown(Rejected):
    """The event names nobody, so that it can be nobody's."""

    code: ClassVar[str] = "no_identity"


class Person(NamedTuple):
    """What decides whether two leads may be one, and which of them stays."""

    id: UUID
    since: datetime
    known: bool = False
    emails: frozenset[str] = frozenset()


class Shown(NamedTuple):
    """Who an event shows. Events that show the same are one lead's, whatever comes between them."""

    source: str
    who: Identity
    before: Identity | None
    """Of an alias: who it was until now."""

    @classmethod
    def by(cls, event: MarketingEvent) -> Shown:
        """By this event."""
        before = event.previous if event.kind is EventKind.ALIAS else None
        return cls(event.source, event.identity, before)

    def identities(self) -> list[str]:
        """As they are kept, the strongest first; of an alias the ones before, too."""
        keys = _keys(self.source, self.who)
        return keys if self.before is None else keys + _keys(self.source, self.before)

    def emails(self) -> frozenset[str]:
        """The addresses among them."""
        shown = (self.who.email, self.before.email if self.before is not None else None)
        return frozenset([email for email in shown if email is not None])


@dataclass(slots=True)
class Crowd:
    """The people of a batch and who they turn out to be, event by event."""

    owners: dict[str, UUID]
    people: dict[UUID, Person]
    created: set[UUID] = field(default_factory=set)
    claimed: dict[str, UUID] = field(default_factory=dict)
    joins: list[tuple[UUID, UUID]] = field(default_factory=list)
    """(who stays, who is joined into them), in this order."""
    _joined: dict[UUID, UUID] = field(default_factory=dict)

    def meet(self, event: MarketingEvent) -> UUID:
        """The lead that the event belongs to, as far as is known now; raises NobodyShown."""
        shown = Shown.by(event)
        keys, emails = shown.identities(), shown.emails()
        if not keys:
            raise NobodyShown(f"event {event.id!r} of {event.source!r} names nobody")
        met = self._met_before(keys, emails)
        return self._learn(event, keys, emails) if met is None else met

    def lead_of(self, lead_id: UUID) -> UUID:
        """Who this lead has been joined into; itself, if nobody."""
        while lead_id in self._joined:
            lead_id = self._joined[lead_id]
        return lead_id

    def _met_before(self, keys: list[str], emails: frozenset[str]) -> UUID | None:
        """The one known person whose all of this is already, as it mostly is."""
        owner = self.owners.get(keys[0])
        if owner is None or any(self.owners.get(key) != owner for key in keys):
            return None
        person = self.people[self.lead_of(owner)]
        return person.id if person.known and emails <= person.emails else None

    def _learn(self, event: MarketingEvent, keys: list[str], emails: frozenset[str]) -> UUID:
        person = self._person(event, keys, emails)
        self.people[person.id] = Person(
            person.id,
            person.since,
            person.known or not all(key.startswith(ANONYMOUS) for key in keys),
            person.emails | emails,
        )
        for key in keys:
            if key not in self.owners:
                self.owners[key] = self.claimed[key] = person.id
        return person.id

    def _person(self, event: MarketingEvent, keys: list[str], emails: frozenset[str]) -> Person:
        """Whose the strongest identity is, joined with everybody else who shows to be the same; or somebody new."""
        person: Person | None = None
        for owner in self._owners_of(keys):
            seen = emails if person is None else emails | person.emails
            if event.kind is not EventKind.ALIAS and not _may_be_one(seen, owner.emails):
                continue
            person = owner if person is None else self._join(person, owner)
        return person or self._create(event)

    def _owners_of(self, keys: list[str]) -> list[Person]:
        """Those who have these identities already, each once, the strongest identity's first."""
        ids = {self.lead_of(self.owners[key]): None for key in keys if key in self.owners}
        return [self.people[lead_id] for lead_id in ids]

    def _create(self, event: MarketingEvent) -> Person:
        person = Person(uuid5(LEADS, event_key(event)), event.received_at)
        self.created.add(person.id)
        return person

    def _join(self, one: Person, other: Person) -> Person:
        stays, goes = sorted((one, other), key=lambda it: (not it.known, it.since, it.id))
        self._joined[goes.id] = stays.id
        self.joins.append((stays.id, goes.id))
        joined = Person(
            stays.id, stays.since, stays.known or goes.known, stays.emails | goes.emails
        )
        self.people[stays.id] = joined
        return joined


def _keys(source: str, who: Identity) -> list[str]:
    keys = []
    if who.email is not None:
        keys.append(f"email/{who.email}")
    if who.user_id is not None:
        keys.append(f"user/{source}/{who.user_id}")
    if who.phone is not None:
        keys.append(f"phone/{who.phone}")
    if who.anonymous_id is not None:
        keys.append(f"{ANONYMOUS}{source}/{who.anonymous_id}")
    return keys


def _may_be_one(some: frozenset[str], others: frozenset[str]) -> bool:
    return some <= others or others <= some
