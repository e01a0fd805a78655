"""A version of the agreement as the SLA monitor decides by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.agreement.facts import promise_facts
from shared.agreement.model import Agreement, Policy
from shared.calendar import CompiledCalendar, compile_calendar
from shared.contracts.payloads import HandoffChanged, Scope
from shared.errors import Rejected


class UnknownTerms(Rejected):
    """A handoff names a team or a calendar that its version of the agreement does not have."""

    code = "unknown_terms"


@dataclass(frozen=True)
class SlaPolicy:
    """The promises and calendars of one version of the agreement. Each clock is pinned to one version."""

    version: int
    agreement: Agreement

    @cached_property
    def paused_kinds(self) -> Mapping[str, tuple[str, ...]]:
        """The kinds of promises that each reason of a pause pauses."""
        return {it.id: it.kinds for it in self.agreement.routing.pause_reasons}

    def promises(self, scope: Scope, handoff: HandoffChanged) -> list[Policy]:
        """The agreement's policies of this scope that apply to a handoff with the facts of this change."""
        facts = promise_facts(
            handoff.tier,
            handoff.team,
            sources=handoff.sources,
            campaign=handoff.campaign,
            persona=handoff.persona,
        )
        return [
            policy
            for policy in self.agreement.sla.policies
            if policy.scope is scope and (policy.when is None or policy.when.holds(facts))
        ]

    def calendar(self, team: str, rep_calendar: str | None) -> CompiledCalendar:
        """The rep's own calendar where the agreement has it, else the team's; raises UnknownTerms."""
        calendar = self.find_calendar(team, rep_calendar)
        if calendar is None:
            raise UnknownTerms(
                f"agreement version {self.version} has no calendar for the team {team!r}"
            )
        return calendar

    def find_calendar(self, team: str, rep_calendar: str | None) -> CompiledCalendar | None:
        """The rep's own calendar where the agreement has it, else the team's; None without such a team."""
        calendars = {calendar.id: calendar for calendar in self.agreement.sla.calendars}
        of_teams = {team.id: team.calendar for team in self.agreement.routing.teams}
        for name in (rep_calendar, of_teams.get(team)):
            if name in calendars:
                return compile_calendar(calendars[name])
        return None
