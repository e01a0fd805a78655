"""Routes for the agreement: its versions, their difference, and what each routing rule did."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from services.routing.api import drafts
from services.routing.domain.handoff import State
from services.routing.handlers.assignment import Assigner
from services.routing.queries.rules import handoffs_by_rule
from shared.agreement.drafts import difference
from shared.agreement.model import RoutingRule
from shared.agreement.store import NoAgreement, UnknownVersion, Version, source_of, versions
from shared.auth.keys import UnknownKey, WrongScope
from shared.db.time_range import TimeRange
from shared.errors import Rejected
from shared.http.csv_tables import (
    CSV_RESPONSE,
    FORMAT,
    Format,
    columns_of,
    csv_of_pages,
    row_of,
    wants_csv,
)
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.pages import After, BadCursor, Cursor, Limit, Page, page_of
from shared.http.parameters import SINCE, UNTIL, Count, EmptyRange, Since, Until, time_range
from shared.http.problems import problems

WEEK, MAX_RANGE = timedelta(days=7), timedelta(days=31)


class LongRange(Rejected):
    """The time is longer than this report covers."""

    code: ClassVar[str] = "range_too_long"


Number = Annotated[Count, Path(description="The number of a version.")]
CURSOR = Cursor("agreement versions", tuple[Count])


class VersionOut(BaseModel):
    """A published version of the agreement."""

    number: int
    published_at: datetime
    published_by: str
    note: str = Field(description="What changes, and why.")
    same_as: int | None = Field(
        description="The first version with the same file, where that is an earlier one."
    )

    @classmethod
    def of(cls, version: Version) -> Self:
        """The version as lists show it."""
        return cls(
            number=version.number,
            published_at=version.published_at,
            published_by=version.published_by,
            note=version.note,
            same_as=version.first if version.first < version.number else None,
        )


class VersionsQuery(BaseModel):
    """Which page of the versions."""

    model_config = ConfigDict(extra="forbid")

    after: After = None
    limit: Limit = 50
    format: Format = Field(default=None, description=FORMAT)


class VersionText(VersionOut):
    """A published version with its file."""

    source: str = Field(description="The file as it was published, with its comments.")


class Difference(BaseModel):
    """How one version differs from another."""

    model_config = ConfigDict(populate_by_name=True)

    before: int = Field(serialization_alias="from")
    after: int = Field(serialization_alias="to")
    lines: list[str] = Field(
        description="As `diff -u` writes them: `-` lines of `from`, `+` lines of `to`; empty where the files are equal."
    )


class RuleFilter(BaseModel):
    """The time of the report."""

    model_config = ConfigDict(extra="forbid")

    since: Since | None = Field(
        default=None, description=f"Qualified {SINCE} By default a week before the end."
    )
    until: Until | None = Field(
        default=None, description=f"Qualified {UNTIL} By default until now."
    )

    def times(self, now: datetime) -> TimeRange:
        """The range; raises EmptyRange or LongRange."""
        until = self.until or now
        since = self.since or until - WEEK
        if until - since > MAX_RANGE:
            raise LongRange(f"name {MAX_RANGE.days} days at most")
        return time_range(since, until)


class RuleOut(BaseModel):
    """What a routing rule did in the time."""

    rule: str
    current: bool = Field(description="Whether the agreement in force has the rule.")
    team: str | None = Field(description="Of the rule now; null for one that is gone.")
    when: str | None = Field(description="Its condition now; null for one that is gone.")
    handoffs: int = Field(description="Leads that qualified in the time and fall under it.")
    states: dict[str, int] = Field(description="These handoffs by their state now.")


class RulesOut(BaseModel):
    """The routing rules in the order of the agreement in force, then those that are gone."""

    since: datetime
    until: datetime
    items: list[RuleOut]


def router(assigner: Assigner) -> APIRouter:
    """The routes."""
    routes = APIRouter()
    routes.include_router(_list_routes())
    routes.include_router(_text_routes())
    routes.include_router(drafts.router())

    @routes.get(
        "/agreement/rules",
        responses=problems(UnknownKey, WrongScope, EmptyRange, LongRange),
    )
    def rules(
        session: Tx, _: OpsOrRead, now: Now, filter_: Annotated[RuleFilter, Query()]
    ) -> RulesOut:
        """What each routing rule did: the leads that qualified in the time, at most 31 days, by rule and state.

        Leads that were kept from sales are not counted: no handoff was made of them.
        """
        times = filter_.times(now)
        counts = handoffs_by_rule(session, times)
        current = _current_rules(session, assigner)
        gone = sorted(counts.keys() - current.keys())
        items = [
            _rule(id, counts.get(id, Counter()), team=it.team, when=it.when.source)
            for id, it in current.items()
        ]
        items += [_rule(id, counts[id]) for id in gone]
        return RulesOut(since=times.since or now, until=times.until or now, items=items)

    return routes


def _current_rules(session: Session, assigner: Assigner) -> dict[str, RoutingRule]:
    """The rules of the agreement in force, by id and in their order; none before the first is published."""
    try:
        return assigner.policies.current(session).rules
    except NoAgreement:
        return {}


def _rule(
    id: str, states: Counter[State], *, team: str | None = None, when: str | None = None
) -> RuleOut:
    return RuleOut(
        rule=id,
        current=team is not None,
        team=team,
        when=when,
        handoffs=states.total(),
        states={state.value: count for state, count in states.items()},
    )


def _list_routes() -> APIRouter:
    """When what was published."""
    routes = APIRouter()

    @routes.get(
        "/agreement/versions",
        response_model=Page[VersionOut],
        responses={**CSV_RESPONSE, **problems(UnknownKey, WrongScope, BadCursor)},
    )
    def list_versions(
        request: Request, session: Tx, _: OpsOrRead, query: Annotated[VersionsQuery, Query()]
    ) -> Page[VersionOut] | Response:
        """List the published versions, the newest first: when, by whom, and the note."""
        if not wants_csv(request, query.format):
            return _page_of_versions(session, query.after, query.limit)
        columns = list(columns_of(VersionOut))
        return csv_of_pages(
            request,
            "versions",
            lambda after, limit: _page_of_versions(session, after, limit),
            lambda version: row_of(version, columns),
            columns=columns,
        )

    return routes


def _text_routes() -> APIRouter:
    """The text of a version, and the difference of two."""
    routes = APIRouter()

    @routes.get(
        "/agreement/versions/{number}", responses=problems(UnknownKey, WrongScope, UnknownVersion)
    )
    def show_version(number: Number, session: Tx, _: OpsOrRead) -> VersionText:
        """Show a version with its file as it was published."""
        source = source_of(session, number)
        [version] = versions(session, before=number + 1, limit=1)
        return VersionText(**VersionOut.of(version).model_dump(), source=source)

    @routes.get("/agreement/diff", responses=problems(UnknownKey, WrongScope, UnknownVersion))
    def diff(
        session: Tx,
        _: OpsOrRead,
        before: Annotated[Count, Query(alias="from", description="The number of a version.")],
        after: Annotated[Count, Query(alias="to", description="The number of another version.")],
    ) -> Difference:
        """Show the lines that differ between the files of two versions."""
        sources = source_of(session, before), source_of(session, after)
        lines = difference(*sources, names=(f"version {before}", f"version {after}"))
        return Difference(before=before, after=after, lines=lines)

    return routes


def _page_of_versions(session: Session, after: str | None, limit: int) -> Page[VersionOut]:
    before = None if after is None else CURSOR.decode(after)[0]
    return page_of(
        versions(session, before=before, limit=limit + 1),
        limit=limit,
        item=VersionOut.of,
        position=lambda it: (it.number,),
        cursor=CURSOR,
    )
