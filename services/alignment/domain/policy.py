"""A version of the agreement as alignment counts by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from services.alignment.domain.attribution import Terms
from services.alignment.domain.exchange import Exchange
from services.alignment.domain.groups import Group, facts_of
from services.alignment.domain.returns import LifetimeTerms
from shared.agreement.model import Agreement, Attribution, Money, Promise
from shared.calendar import CompiledCalendar, compile_calendar

Side = Literal["marketing", "sales"]


@dataclass(frozen=True)
class AlignmentPolicy:
    """One version of the agreement."""

    version: int
    agreement: Agreement

    @cached_property
    def calendars(self) -> Mapping[str, CompiledCalendar]:
        """The calendar of each team."""
        calendars = {it.id: it for it in self.agreement.sla.calendars}
        return {
            team.id: compile_calendar(calendars[team.calendar])
            for team in self.agreement.routing.teams
        }

    @property
    def promises(self) -> Sequence[tuple[Side, Promise]]:
        """Every promise with the side that gave it."""
        sides: dict[Side, Sequence[Promise]] = {
            "marketing": self.agreement.promises.marketing,
            "sales": self.agreement.promises.sales,
        }
        return [(side, it) for side, promises in sides.items() for it in promises]

    def calendars_of(
        self, promise: Promise, fields: tuple[str, ...], groups: Sequence[Group]
    ) -> list[CompiledCalendar]:
        """The different calendars of the teams that a promise is about: those for which its condition may hold.

        It may hold for a team if it does for one of the groups of that team, or where nothing but the team is known.
        If it holds for none, or reads no team, it is about all.
        """
        teams = [it for it in self.calendars if self._may_hold(promise, it, fields, groups)]
        calendars = [self.calendars[it] for it in teams or self.calendars]
        return list(dict.fromkeys(calendars))

    @staticmethod
    def _may_hold(
        promise: Promise, team: str, fields: tuple[str, ...], groups: Sequence[Group]
    ) -> bool:
        where = promise.where
        if where is None or "team" not in fields:
            return True
        known = [facts_of(fields, it) for it in groups]
        of_team = [it for it in known if it["team"] == team]
        return any(map(where.holds, [facts_of(("team",), (team,)), *of_team]))


def attribution_of(policy: AlignmentPolicy | None) -> Attribution:
    """The section on attribution; its defaults where no agreement is published."""
    return Attribution() if policy is None else policy.agreement.attribution


def terms_of(attribution: Attribution) -> Terms:
    """The terms by which touches are credited, by this section of an agreement."""
    return Terms(attribution.window, attribution.half_life)


def exchange_of(money: Money | None) -> Exchange:
    """The exchange by this section of an agreement; without it no amounts are added."""
    if money is None:
        return Exchange(None, {})
    rates = {code: Fraction(str(rate)) for code, rate in money.rates.items()}
    return Exchange(money.currency, {**rates, money.currency: Fraction(1)})


def lifetime_terms_of(money: Money | None) -> LifetimeTerms | None:
    """The terms of the lifetime value by this section of an agreement."""
    return None if money is None else LifetimeTerms(money.gross_margin, money.monthly_churn)
