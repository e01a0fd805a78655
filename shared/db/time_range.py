"""A range of time, as conditions on a column."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement


class TimeRange(NamedTuple):
    """The instants from `since` on and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def conditions(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions under which the column lies in the range."""
        lower = [] if self.since is None else [column >= self.since]
        upper = [] if self.until is None else [column < self.until]
        return [*lower, *upper]


ALWAYS = TimeRange()
