"""Every page and every act of the console."""

from __future__ import annotations

from services.console.pages import agreement, deliveries, events, leads, now, reps
from services.console.pages.page import Act, Page

PAGES: tuple[Page, ...] = (
    now.PAGE,
    *leads.PAGES,
    deliveries.PAGE,
    reps.PAGE,
    agreement.PAGE,
    events.PAGE,
)
ACTS: tuple[Act, ...] = (*deliveries.ACTS, *reps.ACTS, *agreement.ACTS, events.RETRY)
