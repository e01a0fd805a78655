"""Lists of leads: those that a search matches, and those that qualified last."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from services.scoring.domain.lead import Lead, Stage
from services.scoring.domain.naming import company_of, name_of, words_in
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.queries import leads, search
from services.scoring.queries.search import LeadDates
from shared.agreement.store import Policies
from shared.auth.keys import Caller, KeyScope
from shared.errors import Rejected
from shared.http.pages import Cursor, Page, page_of

MIN_CHARACTERS = 2
MAX_QUERY_WORDS = 8
"""Further words of a search are ignored."""

MATCHES_CURSOR = Cursor("matching-leads", tuple[AwareDatetime, UUID])
QUALIFIED_CURSOR = Cursor("qualified-leads", tuple[AwareDatetime, UUID])


class ShortSearch(Rejected):
    """The search has fewer than two letters or digits."""

    code: ClassVar[str] = "short_search"


class LeadLine(BaseModel):
    """A lead of a list, with its scores at this instant."""

    id: UUID
    stage: Stage
    known: bool = Field(description="False for an anonymous visitor.")
    email: str | None
    name: str | None
    company: str | None
    account: str | None
    fit: float
    engagement: float
    grade: str
    qualifications: int = Field(description="How often the lead has qualified.")
    last_event_at: datetime | None = Field(description="When the lead was active last.")
    qualified_at: datetime | None = Field(description="When the lead qualified last.")

    @classmethod
    def of(cls, lead: Lead, dates: LeadDates, policy: ScoringPolicy, now: datetime) -> LeadLine:
        """The lead as a list shows it."""
        traits, scores = lead.profile.trait_values, lead.scores(policy, now)
        return cls(
            id=lead.id,
            stage=lead.stage,
            known=lead.known,
            email=lead.profile.email,
            name=name_of(traits),
            company=company_of(traits),
            account=lead.profile.account,
            fit=scores.fit,
            engagement=scores.engagement,
            grade=scores.grade,
            qualifications=lead.qualification,
            last_event_at=dates.last_event_at,
            qualified_at=dates.qualified_at,
        )


class ListedLead(NamedTuple):
    """A lead of a list, with the dates that the list is ordered by."""

    lead: Lead
    dates: LeadDates


class LeadLists:
    """Reads lists of leads for one caller: a rep's have only leads whose handoffs the rep holds or has closed."""

    def __init__(
        self, session: Session, policies: Policies[ScoringPolicy], caller: Caller, now: datetime
    ) -> None:
        self._session = session
        self._policies = policies
        self._rep = caller.subject if caller.scope is KeyScope.REP else None
        self._now = now

    def page(self, text: str | None, *, after: str | None, limit: int) -> Page[LeadLine]:
        """The leads that the text finds, or without one those that have qualified; raises ShortSearch or BadCursor."""
        if text is None:
            return self._qualified(after=after, limit=limit)
        return self._matches(text, after=after, limit=limit)

    def _matches(self, text: str, *, after: str | None, limit: int) -> Page[LeadLine]:
        words = words_in(text)[:MAX_QUERY_WORDS]
        if sum(map(len, words)) < MIN_CHARACTERS:
            raise ShortSearch(f"write at least {MIN_CHARACTERS} letters or digits of a word")
        before = None if after is None else MATCHES_CURSOR.decode(after)
        rows = search.matching_leads(
            self._session, words, rep=self._rep, before=before, limit=limit + 1
        )
        return page_of(
            self._with_leads(rows),
            limit=limit,
            item=self._line,
            position=lambda row: (row.dates.last_event_at, row.lead.id),
            cursor=MATCHES_CURSOR,
        )

    def _qualified(self, *, after: str | None, limit: int) -> Page[LeadLine]:
        before = None if after is None else QUALIFIED_CURSOR.decode(after)
        rows = search.qualified_leads(self._session, rep=self._rep, before=before, limit=limit + 1)
        return page_of(
            self._with_leads(rows),
            limit=limit,
            item=self._line,
            position=lambda row: (row.dates.qualified_at, row.lead.id),
            cursor=QUALIFIED_CURSOR,
        )

    def _with_leads(self, rows: list[LeadDates]) -> list[ListedLead]:
        stored = leads.leads_by_id(self._session, [it.lead_id for it in rows])
        return [ListedLead(stored[it.lead_id], it) for it in rows]

    def _line(self, row: ListedLead) -> LeadLine:
        policy = self._policies.version(self._session, row.lead.version)
        return LeadLine.of(row.lead, row.dates, policy, self._now)
