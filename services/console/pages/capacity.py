"""The page of what teams can take on each date: what is behind a promise of capacity, in place of leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

from services.console.apis import Apis, Service
from services.console.pages.page import READERS, Export, Page, Source, View
from services.console.report.periods import month_of

PATH: Final = "/alignment/capacity"
CAPACITY: Final = "/v1/alignment/capacity"
PERIOD: Final = ("period", "since", "until")
FILTERS: Final = ("team", "where")
ROWS: Final = 100


async def load(apis: Apis, view: View) -> Mapping[str, Any]:
    """The days of teams in the period of the address, or in this month."""
    query = {**narrowed_days(view), "after": view.query.get("after"), "limit": ROWS}
    part = await apis.parts(days=apis.get(Service.ALIGNMENT, CAPACITY, **query))
    return {
        "days": part["days"],
        "filters": [f"{it} {view.query[it]}" for it in FILTERS if view.query.get(it)],
        "period": _period_of(view),
    }


def narrowed_days(view: View) -> dict[str, str]:
    """The parameters of the list."""
    filters = {it: view.query[it] for it in FILTERS if view.query.get(it)}
    return {**_period_of(view), **filters}


def _period_of(view: View) -> dict[str, str]:
    """The period that the address names, or this month."""
    named = {it: view.query[it] for it in PERIOD if view.query.get(it)}
    return named or {"period": month_of(view.now.astimezone(UTC).date())}


PAGE = Page(
    path=PATH,
    title="What teams can take",
    template="capacity.html",
    load=load,
    scopes=READERS,
)
EXPORT = Export(
    f"{PATH}.csv",
    lambda view: Source(Service.ALIGNMENT, CAPACITY, narrowed_days(view)),
    scopes=READERS,
)
