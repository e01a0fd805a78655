"""The route for counts of handoffs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.routing.api.handoffs import rep_of
from services.routing.domain.handoff import State
from services.routing.queries.counts import LiveCount, closed_counts, live_counts
from shared.auth.keys import InactiveRep, UnknownKey, WrongScope
from shared.http.dependencies import AnyReader, Now, Tx
from shared.http.problems import problems

T = TypeVar("T")

MAX_DAYS = 31

router = APIRouter()


class ClosedOut(BaseModel):
    """How many handoffs ended in this state on a day in UTC."""

    day: date
    state: State
    count: int


class CountsOut(BaseModel):
    """How many handoffs are live now, by what they have in common; and how many ended on the last days."""

    live: int
    by_state: dict[State, int]
    by_team: dict[str, int]
    by_rep: dict[str, int] = Field(description="Those that each rep holds.")
    by_tier: dict[str, int]
    closed: list[ClosedOut] = Field(description="By day in UTC, the newest first.")


@router.get("/handoffs/counts", responses=problems(UnknownKey, WrongScope, InactiveRep))
def count_handoffs(
    session: Tx,
    caller: AnyReader,
    now: Now,
    days: Annotated[
        int, Query(ge=1, le=MAX_DAYS, description="For so many days the closed ones are counted.")
    ] = 7,
) -> CountsOut:
    """Count the live handoffs by state, team, rep and tier, and the closed ones by day; with a rep's key the rep's."""
    rep = rep_of(caller)
    live = list(live_counts(session, rep=rep))
    first_day = datetime.combine(now.astimezone(UTC).date(), time(), UTC) - timedelta(days=days - 1)
    return CountsOut(
        live=sum(it.handoffs for it in live),
        by_state=_sums(live, attrgetter("state")),
        by_team=_sums(live, attrgetter("team")),
        by_rep=_sums((it for it in live if it.rep is not None), attrgetter("rep")),
        by_tier=_sums(live, attrgetter("tier")),
        closed=[
            ClosedOut(day=it.day, state=it.state, count=it.handoffs)
            for it in closed_counts(session, since=first_day, rep=rep)
        ],
    )


def _sums(counts: Iterable[LiveCount], key: Callable[[LiveCount], T]) -> Counter[T]:
    """The counts by a part of what they are of."""
    sums = Counter[T]()
    for count in counts:
        sums[key(count)] += count.handoffs
    return sums
