"""Every page and every act of the console."""

from __future__ import annotations

from services.console.pages import now
from services.console.pages.page import Act, Page

PAGES: tuple[Page, ...] = (now.PAGE,)
ACTS: tuple[Act, ...] = ()
