"""Query parameters that lists of clocks and attainment share, and what a caller may see."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from services.sla_monitor.queries.lists import ClockFilter
from shared.auth.keys import Caller, ExpiredKey, KeyScope, UnknownKey, WrongScope
from shared.contracts.payloads import Scope
from shared.http.csv_tables import FORMAT, Format
from shared.http.parameters import PlainText

KEY_ERRORS = (UnknownKey, ExpiredKey, WrongScope)


def visible_to(caller: Caller) -> str | None:
    """The rep whose clocks alone the caller may see, or None for all clocks."""
    return caller.subject if caller.scope is KeyScope.REP else None


class Filters(BaseModel):
    """Which clocks are answered; each parameter narrows the answer. A rep's key sees that rep's clocks."""

    model_config = ConfigDict(extra="forbid")

    team: PlainText | None = Field(default=None, description="Only promises of this team.")
    rep: PlainText | None = Field(
        default=None,
        description="Only promises of this rep; with a rep's key always the rep's own.",
    )
    tier: PlainText | None = Field(
        default=None, description="Only promises about leads of this tier."
    )
    kind: PlainText | None = Field(
        default=None,
        description="Only promises of this kind: accept, first_touch, meeting, outcome, attempts or satisfaction.",
    )
    scope: Scope | None = Field(default=None, description="Only promises of this scope.")
    format: Format = Field(default=None, description=FORMAT)

    def clock_filter(self, caller: Caller, **more: Any) -> ClockFilter:
        """The filter of these parameters, within what the caller may see."""
        own = visible_to(caller)
        rep = self.rep if own is None else own
        return ClockFilter(self.team, rep, self.tier, self.kind, self.scope, visible_to=own, **more)


SourceName = Annotated[PlainText, Field(min_length=1)]
"""The name of a source or of a campaign."""


class SourceFilters(Filters):
    """Which clocks are answered, by where their leads came from too."""

    source: SourceName | None = Field(
        default=None, description="Only promises about leads with this source among their sources."
    )
    campaign: SourceName | None = Field(
        default=None,
        description="Only promises about leads whose last campaign, or else whose first, has this name.",
    )

    def clock_filter(self, caller: Caller, **more: Any) -> ClockFilter:
        """The filter of these parameters, within what the caller may see."""
        return super().clock_filter(caller, source=self.source, campaign=self.campaign, **more)
