"""Every page and every act of the console."""

from __future__ import annotations

from services.console.pages import (
    agreement,
    attainment,
    clock,
    deliveries,
    events,
    leads,
    now,
    promises,
    reps,
)
from services.console.pages.page import Act, Page

PAGES: tuple[Page, ...] = (
    now.PAGE,
    *leads.PAGES,
    promises.PAGE,
    clock.PAGE,
    attainment.PAGE,
    deliveries.PAGE,
    reps.PAGE,
    agreement.PAGE,
    events.PAGE,
)
ACTS: tuple[Act, ...] = (
    clock.ACKNOWLEDGE,
    *deliveries.ACTS,
    *reps.ACTS,
    *agreement.ACTS,
    events.RETRY,
)
