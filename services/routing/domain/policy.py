"""One version of the agreement as routing decides by it: its rules, its tiers, its teams with their calendars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from services.routing.domain.handoff import Handoff, State, handoff_id
from services.routing.domain.roster import Rep
from shared.agreement.cel.compile import Facts
from shared.agreement.facts import lead_facts
from shared.agreement.model import Agreement, RoutingRule
from shared.calendar import CompiledCalendar, compile_calendar
from shared.contracts.payloads import LeadQualified
from shared.contracts.topic import Message

HAND_RAISE = "hand_raise"


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Whether a rule held. Rules after the first that did are not evaluated."""

    rule: str
    held: bool


class RuleMatch(NamedTuple):
    """The rule that a lead falls under, the facts that the rules could read, and the verdict of each rule."""

    rule: RoutingRule
    facts: dict[str, Any]
    verdicts: tuple[RuleVerdict, ...]
    owner: str | None = None
    """The rep who owns the lead's account, where that was looked up."""


@dataclass(frozen=True, slots=True)
class TeamPolicy:
    """How the days, the periods and the working hours of one team are counted."""

    team: str
    period: Literal["month", "ever"]
    calendar: CompiledCalendar
    calendars: Mapping[str, CompiledCalendar] = field(default_factory=dict)
    lead: str | None = None
    """The rep who leads the team, if the agreement names one."""

    def hours_of(self, rep: Rep) -> CompiledCalendar:
        """The rep's own hours, else the team's."""
        return self.calendars.get(rep.hours or "", self.calendar)

    def calendar_of(self, rep: Rep) -> str | None:
        """The id of the rep's own hours; None means the team's."""
        return rep.hours if rep.hours in self.calendars else None

    def zone_of(self, rep: Rep | None) -> ZoneInfo:
        """The time zone of the rep's hours; without a rep, of the team's."""
        calendar = self.calendar if rep is None else self.hours_of(rep)
        return ZoneInfo(calendar.calendar.zone)

    def day_of(self, at: datetime) -> tuple[datetime, datetime]:
        """The team's local day around an instant: its first instant, and the first instant of the next day."""
        zone = ZoneInfo(self.calendar.calendar.zone)
        day = at.astimezone(zone).date()
        return (
            datetime.combine(day, time(), zone),
            datetime.combine(day + timedelta(days=1), time(), zone),
        )

    def period_of(self, at: datetime) -> str:
        """The key of the period that fair share counts over: `2026-11` in the team's zone, or `ever`."""
        if self.period == "ever":
            return "ever"
        return f"{at.astimezone(ZoneInfo(self.calendar.calendar.zone)):%Y-%m}"


class RoutingPolicy:
    """One version of the agreement as routing decides by it. It is built once a version and never changes."""

    def __init__(self, version: int, agreement: Agreement) -> None:
        calendars = {it.id: compile_calendar(it) for it in agreement.sla.calendars}
        self.version, self.agreement = version, agreement
        self.account_owner = agreement.routing.account_owner
        self.rules = {it.id: it for it in agreement.routing.rules}
        self.teams = {
            it.id: TeamPolicy(it.id, it.period, calendars[it.calendar], calendars, it.lead)
            for it in agreement.routing.teams
        }
        self._tier_ranks = {it.id: rank for rank, it in enumerate(agreement.qualification.tiers)}

    def match(self, lead: LeadQualified) -> RuleMatch:
        """The first rule that holds for the lead."""
        facts = self._facts_of(lead)
        rule, verdicts = first_match(self.agreement.routing.rules, facts)
        return RuleMatch(rule, facts, verdicts)

    def teams_of(self, handoff: Handoff) -> set[str]:
        """The team of the handoff, and that of its rule, to which it may go on from its owner's team."""
        return {handoff.team, self.rules[handoff.rule].team}

    def new_handoff(self, message: Message[LeadQualified], rule: RoutingRule) -> Handoff:
        """The handoff that a qualification begins: it waits in the rule's team."""
        lead = message.payload
        return Handoff(
            id=handoff_id(lead.lead_id, lead.qualification),
            lead_id=lead.lead_id,
            qualification=lead.qualification,
            state=State.WAITING,
            team=rule.team,
            rule=rule.id,
            tier=lead.tier,
            tier_rank=self._tier_rank(lead.tier),
            qualified_at=lead.at,
            agreement_version=self.version,
            lead=lead,
            traceparent=message.traceparent,
            announced_json=message.json,
        )

    def moved(self, handoff: Handoff) -> Handoff:
        """The waiting handoff as this version rules it: perhaps in another team, under another rule."""
        rule = self.match(handoff.lead).rule
        return handoff._replace(
            team=rule.team,
            rule=rule.id,
            tier_rank=self._tier_rank(handoff.tier),
            agreement_version=self.version,
        )

    def _tier_rank(self, tier: str) -> int:
        """The tier's position in the agreement; a tier that it does not know comes last."""
        return self._tier_ranks.get(tier, len(self._tier_ranks))

    def _facts_of(self, lead: LeadQualified) -> dict[str, Any]:
        """The facts of a lead for the routing rules.

        Messages of earlier versions have neither all traits nor whether a hand was raised.
        """
        context, hand_raised = lead.context, lead.hand_raised
        return {
            "lead": lead_facts(
                context.traits if lead.traits is None else lead.traits,
                email=context.email,
                account=context.account,
                stage="qualified",
                agreement=self.agreement,
            ),
            "tier": lead.tier,
            "persona": context.persona or "",
            "fit": lead.scores.fit,
            "engagement": lead.scores.engagement,
            "grade": lead.scores.grade,
            "hand_raised": lead.cause == HAND_RAISE if hand_raised is None else hand_raised,
        }


def first_match(
    rules: Sequence[RoutingRule], facts: Facts
) -> tuple[RoutingRule, tuple[RuleVerdict, ...]]:
    """The first rule that holds, and the verdicts of all rules up to it.

    The last rule holds for every lead, as the agreement's check makes sure: it is taken without
    being evaluated, so that no lead is without a rule.
    """
    *conditional, last = rules
    verdicts: list[RuleVerdict] = []
    for rule in conditional:
        verdicts.append(RuleVerdict(rule.id, held=rule.when.holds(facts)))
        if verdicts[-1].held:
            return rule, tuple(verdicts)
    return last, (*verdicts, RuleVerdict(last.id, held=True))
