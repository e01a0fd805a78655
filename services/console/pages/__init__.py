"""Every page and every act of the console."""

from __future__ import annotations

from services.console.pages import (
    agreement,
    attainment,
    clock,
    deliveries,
    events,
    handoffs,
    leads,
    now,
    promises,
    reps,
    reroutes,
)
from services.console.pages.page import Act, Page

PAGES: tuple[Page, ...] = (
    now.PAGE,
    *leads.PAGES,
    *handoffs.PAGES,
    *reroutes.PAGES,
    promises.PAGE,
    clock.PAGE,
    attainment.PAGE,
    deliveries.PAGE,
    reps.PAGE,
    agreement.PAGE,
    events.PAGE,
)
ACTS: tuple[Act, ...] = (
    *handoffs.ACTS,
    *reroutes.ACTS,
    clock.ACKNOWLEDGE,
    *deliveries.ACTS,
    *reps.ACTS,
    *agreement.ACTS,
    events.RETRY,
)
