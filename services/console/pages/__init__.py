"""Every page, every act and every download of the console."""

from __future__ import annotations

from services.console.pages import (
    agreement,
    alignment,
    applications,
    attainment,
    behind,
    broken,
    capacity,
    clock,
    deliveries,
    events,
    handoffs,
    leads,
    now,
    promises,
    reps,
    reroutes,
    spend,
)
from services.console.pages.page import Act, Export, Page

PAGES: tuple[Page, ...] = (
    now.PAGE,
    *leads.PAGES,
    *handoffs.PAGES,
    *reroutes.PAGES,
    promises.PAGE,
    clock.PAGE,
    broken.PAGE,
    applications.PAGE,
    attainment.PAGE,
    *alignment.PAGES,
    *behind.PAGES,
    capacity.PAGE,
    spend.PAGE,
    deliveries.PAGE,
    reps.PAGE,
    agreement.PAGE,
    events.PAGE,
)
ACTS: tuple[Act, ...] = (
    leads.FIND_LEADS,
    leads.REOPEN,
    *handoffs.ACTS,
    *reroutes.ACTS,
    clock.ACKNOWLEDGE,
    applications.APPLY,
    *deliveries.ACTS,
    *reps.ACTS,
    *agreement.ACTS,
    events.RETRY,
)
EXPORTS: tuple[Export, ...] = (
    *leads.EXPORTS,
    handoffs.EXPORT,
    reroutes.EXPORT,
    promises.EXPORT,
    broken.EXPORT,
    *attainment.EXPORTS,
    *alignment.EXPORTS,
    *behind.EXPORTS,
    capacity.EXPORT,
    spend.EXPORT,
    *deliveries.EXPORTS,
    reps.EXPORT,
    agreement.EXPORT,
    *events.EXPORTS,
)
