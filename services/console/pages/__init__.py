"""Every page and every act of the console."""

from __future__ import annotations

from services.console.pages import agreement, deliveries, now, reps
from services.console.pages.page import Act, Page

PAGES: tuple[Page, ...] = (now.PAGE, deliveries.PAGE, reps.PAGE, agreement.PAGE)
ACTS: tuple[Act, ...] = (*deliveries.ACTS, *reps.ACTS, *agreement.ACTS)
