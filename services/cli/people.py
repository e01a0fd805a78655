"""Finds the lead and the handoff that an operator names: by e-mail, phone number, identifier or id."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from services.routing.domain.handoff import Handoff
from services.routing.handlers.answers import UnknownHandoff
from services.routing.queries.lists import HandoffFilter, every_handoff, handoffs_by_id_prefix
from services.scoring.api.leads import IdentityQuery
from services.scoring.handlers.reading import UnknownLead
from services.scoring.queries import leads
from shared.errors import Rejected
from shared.http.parameters import MAX_CHARACTERS

_NAMES = "An e-mail address; also a phone number, the lead's id, or an identifier such as user/website/42"
LeadName = Annotated[str, typer.Argument(metavar="EMAIL", help=f"{_NAMES}.")]
HandoffName = Annotated[
    str,
    typer.Argument(
        metavar="EMAIL",
        help=f"{_NAMES}: of this lead the newest handoff. Also the first digits of a handoff's id.",
    ),
]

_IDENTIFIER = re.compile(r"(email|phone|user/[^/]+|anonymous/[^/]+)/.+", re.DOTALL)
_PHONE = re.compile(r"\+?[0-9 ()./-]{6,}")
_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_ID_PREFIX = re.compile(r"(?=.{6,36}\Z)[0-9a-f]+(-[0-9a-f]*)*", re.IGNORECASE)


class UnreadableName(Rejected):
    """The text is no e-mail address, phone number, identifier or id."""

    code: ClassVar[str] = "unreadable_name"


def find_lead(session: Session, name: str) -> UUID | None:
    """The id of the lead with this e-mail, phone number, identifier or id; raises UnreadableName."""
    if _UUID.fullmatch(name):
        return leads.surviving_leads(session, [UUID(name)]).get(UUID(name))
    key = _key(name)
    return leads.owners(session, [key]).get(key)


def lead_of(session: Session, name: str) -> UUID:
    """The id of the lead with this name; raises UnreadableName or UnknownLead."""
    lead_id = find_lead(session, name)
    if lead_id is None:
        raise UnknownLead(f"the name {name!r}: check its spelling")
    return lead_id


def handoffs_of(session: Session, lead_id: UUID, *, limit: int = 100) -> list[Handoff]:
    """The handoffs of the lead, and of the leads that were merged into it, newest first."""
    of_lead = HandoffFilter(leads=leads.merged_ids(session, lead_id))
    return every_handoff(session, of_lead, limit=limit)


def handoff_of(session: Session, name: str) -> Handoff:
    """The handoff with this id or beginning of an id, or the newest handoff of the lead with this name.

    Raises UnreadableName, UnknownLead or UnknownHandoff.
    """
    if _ID_PREFIX.fullmatch(name):
        matches = handoffs_by_id_prefix(session, name.lower())
        if len(matches) > 1:
            raise UnknownHandoff(
                f"several handoffs have an id that begins with {name}: write more of it"
            )
        if matches:
            return matches[0]
    matches = handoffs_of(session, lead_of(session, name), limit=1)
    if not matches:
        raise UnknownHandoff(
            f"the lead {name} has no handoff: `leadbaton leads show {name}` shows its stage"
        )
    return matches[0]


def _key(name: str) -> str:
    if len(name) <= MAX_CHARACTERS:
        if _IDENTIFIER.fullmatch(name):
            return name
        if "@" in name:
            return IdentityQuery(email=name).identifier().key
        if _PHONE.fullmatch(name):
            return IdentityQuery(phone=name).identifier().key
    raise UnreadableName(
        f"{name[:MAX_CHARACTERS]!r} names no lead: write an e-mail address, a phone number, an id, or an identifier "
        "such as user/website/42"
    )
