"""Identities: which lead each event belongs to, and which leads are one person.

An event with identifiers of two leads merges them. The older lead stays, but a known person stays before an anonymous
visitor. Two different e-mail addresses are two people, unless an alias says otherwise. An event with another e-mail
address belongs to the lead of that address, and a weaker identifier in it stays with the lead that had it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID, uuid5

from services.scoring.domain.profile import event_key
from shared.contracts.payloads import EventKind, Identity, MarketingEvent
from shared.contracts.topic import Message
from shared.errors import Rejected

LEADS = UUID("5f0a6a52-35d8-5f7b-9ef6-0d0f3c1d6a01")
"""The namespace of lead ids: a lead's id derives from the first event that showed it."""

ANONYMOUS = "anonymous/"

EventMessage = Message[MarketingEvent]


class NoIdentifier(Rejected):
    """The event has no identifier, so that it can belong to no lead."""

    code: ClassVar[str] = "no_identity"


class Person(NamedTuple):
    """What decides whether two leads may be merged, and which of them stays."""

    id: UUID
    since: datetime
    known: bool = False
    emails: frozenset[str] = frozenset()


class Identifiers(NamedTuple):
    """The identifiers in an event. Events with the same identifiers belong to one lead, whatever comes between them."""

    source: str
    identity: Identity
    previous: Identity | None
    """The previous identity, in an alias."""

    @classmethod
    def of(cls, event: MarketingEvent) -> Identifiers:
        """The identifiers of this event."""
        previous = event.previous if event.kind is EventKind.ALIAS else None
        return cls(event.source, event.identity, previous)

    def stored_keys(self) -> list[str]:
        """The identifiers as they are stored, the strongest first; those of the previous identity come last."""
        keys = _keys(self.source, self.identity)
        return keys if self.previous is None else keys + _keys(self.source, self.previous)

    def emails(self) -> frozenset[str]:
        """The e-mail addresses among them."""
        emails = (self.identity.email, self.previous.email if self.previous is not None else None)
        return frozenset([email for email in emails if email is not None])


@dataclass(slots=True)
class IdentityResolver:
    """Finds the lead of each event of a batch."""

    owners: dict[str, UUID]
    """The lead of each identifier."""
    people: dict[UUID, Person]
    created: set[UUID] = field(default_factory=set)
    """The leads that these events created."""
    merges: list[tuple[UUID, UUID]] = field(default_factory=list)
    """(the lead that stays, the lead that is merged into it), in the order of the merges."""
    _new_owners: dict[str, UUID] = field(default_factory=dict)
    _merged_into: dict[UUID, UUID] = field(default_factory=dict)

    def events_by_lead(
        self, groups: Iterable[Sequence[EventMessage]]
    ) -> dict[UUID, list[EventMessage]]:
        """The events by lead, after all merges; a group has the same identifiers. Raises NoIdentifier."""
        owners = [(self.lead_of(group[0].payload), group) for group in groups]
        events: dict[UUID, list[EventMessage]] = {}
        for lead_id, group in owners:
            events.setdefault(self.surviving(lead_id), []).extend(group)
        return events

    def lead_of(self, event: MarketingEvent) -> UUID:
        """The lead that the event belongs to, as far as is known now; raises NoIdentifier."""
        identifiers = Identifiers.of(event)
        keys, emails = identifiers.stored_keys(), identifiers.emails()
        if not keys:
            raise NoIdentifier(f"event {event.id!r} of {event.source!r} names nobody")
        known = self._known_owner(keys, emails)
        return self._learn(event, keys, emails) if known is None else known

    def surviving(self, lead_id: UUID) -> UUID:
        """The lead that this one was merged into, or itself."""
        while lead_id in self._merged_into:
            lead_id = self._merged_into[lead_id]
        return lead_id

    def new_owners(self) -> dict[str, UUID]:
        """The lead of each identifier that belonged to no lead before."""
        return {key: self.surviving(lead_id) for key, lead_id in self._new_owners.items()}

    def stored_merges(self) -> dict[UUID, UUID]:
        """The lead that stays, by the lead that is merged into it; without leads that this batch created."""
        return {
            goes: self.surviving(stays) for stays, goes in self.merges if goes not in self.created
        }

    def _known_owner(self, keys: list[str], emails: frozenset[str]) -> UUID | None:
        """The known lead that has all of these identifiers already, or None. Most events have one."""
        owner = self.owners.get(keys[0])
        if owner is None or any(self.owners.get(key) != owner for key in keys):
            return None
        person = self.people[self.surviving(owner)]
        return person.id if person.known and emails <= person.emails else None

    def _learn(self, event: MarketingEvent, keys: list[str], emails: frozenset[str]) -> UUID:
        person = self._person(event, keys, emails)
        self.people[person.id] = Person(
            person.id,
            person.since,
            person.known or names_person(event),
            person.emails | emails,
        )
        for key in keys:
            if key not in self.owners:
                self.owners[key] = self._new_owners[key] = person.id
        return person.id

    def _person(self, event: MarketingEvent, keys: list[str], emails: frozenset[str]) -> Person:
        """The owner of the strongest identifier, merged with owners that may be the same person; or a new person."""
        person: Person | None = None
        owners = {self.surviving(self.owners[key]): None for key in keys if key in self.owners}
        for owner in [self.people[lead_id] for lead_id in owners]:
            together = emails if person is None else emails | person.emails
            if event.kind is not EventKind.ALIAS and not (
                together <= owner.emails or owner.emails <= together
            ):
                continue
            person = owner if person is None else self._merge(person, owner)
        return person or self._create(event)

    def _create(self, event: MarketingEvent) -> Person:
        person = Person(uuid5(LEADS, event_key(event)), event.received_at)
        self.created.add(person.id)
        return person

    def _merge(self, first: Person, second: Person) -> Person:
        stays, goes = sorted(
            (first, second), key=lambda person: (not person.known, person.since, person.id)
        )
        self._merged_into[goes.id] = stays.id
        self.merges.append((stays.id, goes.id))
        merged = Person(
            stays.id, stays.since, stays.known or goes.known, stays.emails | goes.emails
        )
        self.people[stays.id] = merged
        return merged


def grouped_by_identifiers(
    messages: Iterable[EventMessage],
) -> dict[Identifiers, list[EventMessage]]:
    """The events by their identifiers."""
    groups: dict[Identifiers, list[EventMessage]] = {}
    for message in messages:
        groups.setdefault(Identifiers.of(message.payload), []).append(message)
    return groups


def names_person(event: MarketingEvent) -> bool:
    """Whether the event names a person, and not only an anonymous visitor."""
    if _is_of_person(event.identity):
        return True
    previous = event.previous if event.kind is EventKind.ALIAS else None
    return previous is not None and _is_of_person(previous)


def identifiers_in(events: Iterable[MarketingEvent]) -> set[str]:
    """The keys of all identifiers in these events."""
    return {key for event in events for key in Identifiers.of(event).stored_keys()}


def _is_of_person(identity: Identity) -> bool:
    return identity.email is not None or identity.user_id is not None or identity.phone is not None


def _keys(source: str, identity: Identity) -> list[str]:
    keys = []
    if identity.email is not None:
        keys.append(f"email/{identity.email}")
    if identity.user_id is not None:
        keys.append(f"user/{source}/{identity.user_id}")
    if identity.phone is not None:
        keys.append(f"phone/{identity.phone}")
    if identity.anonymous_id is not None:
        keys.append(f"{ANONYMOUS}{source}/{identity.anonymous_id}")
    return keys
