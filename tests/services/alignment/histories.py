"""Random histories of leads: what scoring, routing and the SLA monitor announce of them, late and again too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from msgspec.structs import replace

from services.alignment.domain.promises import COUNTED
from shared.contracts.payloads import (
    Change,
    ClockChange,
    HandoffChanged,
    LeadContext,
    LeadQualified,
    SlaChanged,
    Touch,
)
from shared.contracts.touches import LeadTouched, MarketingTouch, TouchCause
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    an_id,
    handoff_changed,
    lead_qualified,
    sla_changed,
)
from tests.services.alignment.builders import News

BEGIN = datetime(2026, 9, 28, tzinfo=UTC)
SPAN = NOON - BEGIN
TEAMS = ("sales", "emea")
TIERS = ("enterprise", "standard")
TRAITS = ("company_size", "country", "title")
POLICIES = ("accept", "first_touch")


class Story(NamedTuple):
    """All that is announced of one qualification, each list in the order in which it happened."""

    lead: LeadQualified
    steps: list[HandoffChanged]
    touched: LeadTouched | None
    clocks: list[list[SlaChanged]]

    @property
    def news(self) -> list[News]:
        """All of it."""
        touched = [] if self.touched is None else [self.touched]
        return [self.lead, *self.steps, *touched, *(it for clock in self.clocks for it in clock)]


def random_stories(chance: Random, leads: int, name: str) -> list[Story]:
    """The stories of so many leads, which may qualify up to three times."""
    return [story for number in range(leads) for story in _of_lead(chance, f"lead {name}/{number}")]


def _of_lead(chance: Random, lead: str) -> Iterator[Story]:
    at = BEGIN + chance.random() * SPAN
    for qualification in range(1, chance.choice([2, 2, 3, 4])):
        yield _story(chance, lead, qualification, at)
        at += timedelta(days=chance.uniform(0.5, 20))
        if at > NOON:
            return


def _story(chance: Random, lead: str, qualification: int, at: datetime) -> Story:
    team, tier = chance.choice(TEAMS), chance.choice(TIERS)
    campaign = chance.choice(["autumn", "spring", None])
    usual: dict[str, Any] = {"lead": lead, "qualification": qualification, "tier": tier}
    version = chance.choice([1, 2])
    announced = lead_qualified(
        **usual,
        at=at,
        agreement_version=version,
        context=LeadContext(
            last_campaign={} if campaign is None else {"name": campaign},
            sources=chance.choice([("website",), ("ads", "website"), ()]),
            persona=chance.choice(["buyer", None]),
            why_now=_event(chance, at),
        ),
    )
    steps = _steps(chance, at, team=team, campaign=campaign, version=version, **usual)
    return Story(
        replace(announced, traits=_traits(chance)),
        [replace(it, sequence=number) for number, it in enumerate(steps, start=1)],
        _touched(chance, announced),
        [
            _clock(chance, policy, at, team, **usual)
            for policy in chance.sample(POLICIES, chance.randrange(3))
        ],
    )


def _event(chance: Random, at: datetime) -> Touch | None:
    if chance.random() < 0.3:
        return None
    return Touch(id="1", type="demo_requested", time=at - timedelta(seconds=chance.randrange(90)))


def _traits(chance: Random) -> dict[str, Any] | None:
    if chance.random() < 0.1:
        return None  # an older scoring did not announce them
    values: Mapping[str, Any] = {"company_size": 300.0, "country": "DE", "title": "CTO"}
    return {it: values[it] if chance.random() < 0.8 else None for it in TRAITS}


def _touched(chance: Random, lead: LeadQualified) -> LeadTouched | None:
    channel = chance.choice([None, "email", "paid_search"])
    if channel is None:
        return None
    touch = MarketingTouch(
        id="1",
        occurred_at=lead.at - timedelta(days=1),
        channel=channel,
        source="website",
        type="visit",
    )
    return LeadTouched(
        lead_id=lead.lead_id,
        qualification=lead.qualification,
        cause=TouchCause.QUALIFIED,
        occurred_at=lead.at,
        known_at=None,
        touches=(touch,),
    )


def _steps(
    chance: Random, at: datetime, *, team: str, campaign: str | None, version: int, **usual: Any
) -> Iterator[HandoffChanged]:
    """An assignment, perhaps late; contacts and refusals by some reps; perhaps an end."""
    fields = {**usual, "campaign": campaign, "qualified_at": at, "agreement_version": version}
    moment = at
    kinds = [chance.choice([Change.WAITING, Change.ASSIGNED]), *_middle(chance), *_end(chance)]
    for kind in kinds:
        moment += timedelta(minutes=chance.choice([0, 1, 3, 200, 2000]))
        if kind is Change.REASSIGNED and chance.random() < 0.2:
            team = chance.choice(TEAMS)
        rep = (
            None if kind in {Change.WAITING, Change.RETURNED} else chance.choice(["grace", "linus"])
        )
        yield handoff_changed(
            kind, at=moment, rep=rep, team=team, **fields, **_answer(chance, kind)
        )


def _middle(chance: Random) -> list[Change]:
    kinds = [
        Change.ACCEPTED,
        Change.CONTACTED,
        Change.CONTACTED,
        Change.REJECTED,
        Change.REASSIGNED,
    ]
    return [chance.choice(kinds) for _ in range(chance.randrange(6))]


def _end(chance: Random) -> list[Change]:
    ends = [Change.WON, Change.LOST, Change.RETURNED]
    return [chance.choice(ends)] if chance.random() < 0.6 else []


def _answer(chance: Random, kind: Change) -> dict[str, Any]:
    """What goes along with a change of this kind."""
    match kind:
        case Change.REJECTED:
            return {"reason": chance.choice(["student", "no_capacity", None])}
        case Change.CONTACTED:
            return {it: chance.choice([None, True, False]) for it in ("attempt", "touch")}
        case Change.WON:
            return {"amount": chance.choice([None, 0.1, 12.34]), "currency": "EUR"}
        case Change.LOST:
            return {"reason": chance.choice(["price", None])}
        case Change.RETURNED:
            return chance.choice([{"reason": "merged"}, {"reason": "decayed", "recycle": True}])
    return {}


def _clock(
    chance: Random,
    policy: str,
    at: datetime,
    team: str,
    *,
    lead: str,
    qualification: int,
    tier: str,
) -> list[SlaChanged]:
    """The changes of one clock: it may be breached, met, taken back, and moved in between."""
    handoff_id = an_id(f"{an_id(lead)}/{qualification}")
    moment, due_at = at, at + timedelta(hours=chance.choice([1, 8, 30]))
    changes: list[SlaChanged] = []
    others = [it for it in ClockChange if it not in COUNTED]
    is_broken = False
    for _ in range(chance.randrange(1, 5)):
        kinds = chance.choice([[chance.choice(others)], *_FOLLOWING[is_broken]])
        is_broken = ClockChange.BREACHED in kinds or (
            is_broken and ClockChange.RETRACTED not in kinds
        )
        moment += timedelta(minutes=chance.randrange(1, 4000))
        due_at += timedelta(hours=chance.choice([0, 0, 24]))
        changes += [
            sla_changed(
                it,
                lead=lead,
                at=moment,
                policy=policy,
                handoff_id=handoff_id,
                tier=tier,
                team=team,
                due_at=due_at,
                due_on=due_at.date(),
            )
            for it in kinds
        ]
    return changes


_FOLLOWING = {
    False: [[ClockChange.BREACHED], [ClockChange.MET], [ClockChange.RETRACTED]],
    True: [[ClockChange.RETRACTED, ClockChange.MET], [ClockChange.RETRACTED]],
}
"""What the SLA monitor may announce at one instant of a clock that is broken, or is not."""


def _section(**sections: Any) -> dict[str, Any]:
    return {**DEFAULT_SECTIONS, **sections}


def agreement(target: float, **money: Any) -> dict[str, Any]:
    """An agreement whose two teams work by different calendars, with promises about all leads and about some."""
    sla, routing = DEFAULT_SECTIONS["sla"], DEFAULT_SECTIONS["routing"]
    [utc], [touch] = sla["calendars"], sla["policies"]
    berlin = {**utc, "id": "berlin", "zone": "Europe/Berlin"}
    accept = {**touch, "id": "accept", "kind": "accept"}
    teams = [*routing["teams"], {"id": "emea", "calendar": "berlin"}]
    return _section(
        sla={"calendars": [utc, berlin], "policies": [touch, accept]},
        routing={**routing, "teams": teams},
        personas=[{"id": "buyer", "when": 'lead.title == "Buyer"'}],
        promises={"marketing": _of_marketing(target), "sales": _of_sales()},
        money={
            "currency": "EUR",
            "value": [
                {
                    "when": 'tier == "enterprise" && team == "emea"',
                    "close_rate": 0.25,
                    "average_deal": 333.33,
                },
                {"when": True, "close_rate": 0.06, "average_deal": 9000},
            ],
            **money,
        },
    )


def _of_marketing(target: float) -> list[dict[str, Any]]:
    return [
        {"id": "leads", "measure": "qualified", "per": "month", "at_least": target},
        {"id": "weekly", "measure": "qualified", "per": "week", "at_least": 9, "where": 'persona == "buyer"'},
        {"id": "value", "measure": "qualified_value", "per": "month", "at_least": 9000, "where": 'team == "emea"'},
        {"id": "quality", "measure": "acceptance_rate", "at_least": 0.7, "where": 'source != "ads"'},
        {"id": "complete", "measure": "completeness", "traits": ["country", "title"], "at_least": 1.0},
        {"id": "fast", "measure": "handover_time", "p": 0.95, "at_most": "5m", "where": 'channel == "email"'},
    ]  # fmt: skip


def _of_sales() -> list[dict[str, Any]]:
    return [
        {"id": "accepts", "measure": "attainment", "policy": "accept", "at_least": 0.9, "where": 'team == "emea"'},
        {"id": "touches", "measure": "attainment", "policy": "first_touch", "at_least": 0.9},
        {"id": "says_why", "measure": "reasons_given", "at_least": 1.0, "where": 'campaign.startsWith("a")'},
        {"id": "wins", "measure": "win_rate", "at_least": 0.05, "cohort": "7d", "where": 'tier == "standard"'},
        {"id": "room", "measure": "capacity", "per": "month", "at_least": 400},
    ]  # fmt: skip
