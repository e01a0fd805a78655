"""From what happened to a handoff to its clocks: a function of the set of changes, not of their arrival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from services.sla_monitor.domain.clocks import Clock, End, EscalationStep, State
from shared.agreement.model import Agreement, Anchor, Policy
from shared.calendar import CompiledCalendar, compiled
from shared.contracts.payloads import Change, HandoffChanged, Scope
from shared.errors import Rejected

CLOCKS = UUID("0ee6ea8d-3c58-5b0c-9a2f-52b1d6a0a5c1")
"""The namespace of clock ids."""

ACCEPTANCE = frozenset({Change.ACCEPTED, Change.CONTACTED, Change.WON})
"""Who has talked to a lead has taken it, form or no form."""

TOUCH = frozenset({Change.CONTACTED, Change.WON})
"""A try counts as a touch, reached or not: the promise is to try. Nobody wins a lead untouched."""

STOPS: Mapping[str, frozenset[Change]] = {"accept": ACCEPTANCE, "first_touch": TOUCH}

TERMINAL = frozenset({Change.WON, Change.LOST, Change.RETURNED})


class UnknownTerms(Rejected):
    """A handoff speaks of a team or a calendar that its version of the agreement does not have."""

    code = "unknown_terms"


@dataclass(frozen=True)
class Terms:
    """A version of the agreement, as far as clocks are concerned; what a clock is pinned to."""

    version: int
    agreement: Agreement

    def promises(self, scope: Scope, *, tier: str, team: str) -> list[Policy]:
        """The policies of this scope that hold for such a handoff."""
        facts = {"tier": tier, "team": team}
        return [
            policy
            for policy in self.agreement.sla.policies
            if policy.scope is scope and (policy.when is None or policy.when.holds(facts))
        ]

    def calendar(self, team: str, own: str | None) -> CompiledCalendar:
        """The rep's own hours where the agreement has them, else the team's."""
        known = {calendar.id: calendar for calendar in self.agreement.sla.calendars}
        teams = {team.id: team.calendar for team in self.agreement.routing.teams}
        for name in (own, teams.get(team)):
            if name in known:
                return compiled(known[name])
        raise UnknownTerms(
            f"agreement version {self.version} has no calendar for the team {team!r}"
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch that clocks belong to: a handoff's whole journey, or its time with one assignee."""

    scope: Scope
    hop: int
    told: tuple[HandoffChanged, ...]
    ends: tuple[HandoffChanged, ...]

    @property
    def first(self) -> HandoffChanged:
        """What the run's clocks are pinned to: version, team, tier, hours."""
        return self.told[0]

    @property
    def rep(self) -> str | None:
        """Who holds it, or last held it."""
        return next((it.rep for it in reversed(self.told) if it.rep is not None), None)


def clocks_of(history: Sequence[HandoffChanged], terms: Mapping[int, Terms]) -> list[Clock]:
    """Every clock of a handoff, as its changes have it; what sweeps found out is not in it.

    `history` is in the order of `sequence`, each once. What is missing in it is filled in when it
    arrives: each change names its hop, its rep and when both began.
    """
    found = (
        _clock(policy, run, terms[run.first.agreement_version])
        for run in runs(history)
        for policy in terms[run.first.agreement_version].promises(
            run.scope, tier=run.first.tier, team=run.first.team
        )
    )
    return [clock for clock in found if clock is not None]


def runs(history: Sequence[HandoffChanged]) -> list[Run]:
    """The journey, then each assignee's hop."""
    journey = Run(Scope.JOURNEY, 0, tuple(history), tuple(filter(_closes, history)))
    return [journey, *(_hop(history, hop) for hop in sorted({it.hop for it in history} - {0}))]


def _hop(history: Sequence[HandoffChanged], hop: int) -> Run:
    told = tuple(it for it in history if it.hop == hop)
    ends = tuple(it for it in history if it.hop > hop or (it.hop == hop and _takes_away(it)))
    return Run(Scope.HOP, hop, told, ends)


def _closes(change: HandoffChanged) -> bool:
    """Whether the handoff is over."""
    rejected_for_good = change.change is Change.REJECTED and change.recycle
    return change.change in TERMINAL or rejected_for_good


def _takes_away(change: HandoffChanged) -> bool:
    """Whether the assignee does not hold it any more."""
    return _closes(change) or change.change in {Change.REJECTED, Change.WAITING}


def _clock(policy: Policy, run: Run, terms: Terms) -> Clock | None:
    """The policy's clock on this run, or None while its anchor has not happened."""
    started_at = _anchored(policy.anchor, run)
    if started_at is None:
        return None
    first = run.first
    calendar = terms.calendar(first.team, first.calendar if run.scope is Scope.HOP else None)
    due_at = calendar.add(started_at, policy.target)
    clock = Clock(
        id=uuid5(CLOCKS, f"{first.handoff_id}/{run.hop}/{policy.id}"),
        handoff_id=first.handoff_id,
        lead_id=first.lead_id,
        hop=run.hop,
        policy=policy.id,
        kind=policy.kind,
        scope=run.scope,
        team=first.team,
        rep=run.rep,
        tier=first.tier,
        lead_name=first.lead_name,
        calendar=calendar.calendar.id,
        agreement_version=terms.version,
        target=policy.target,
        started_at=started_at,
        warn_at=calendar.add(started_at, policy.target * policy.warn_at),
        due_at=due_at,
        due_on=calendar.local_date(due_at),
        escalation_steps=_ladder(policy, calendar, due_at),
    )
    return _ended(clock, policy, run, calendar)


def _ladder(
    policy: Policy, calendar: CompiledCalendar, due_at: datetime
) -> tuple[EscalationStep, ...]:
    """What follows the breach; telling the team at once is what a breach does anyway."""
    steps = sorted(policy.ladder, key=lambda step: step.after)
    later = (step for step in steps if step.after or step.notify != "team")
    return tuple(EscalationStep(calendar.add(due_at, step.after), step.notify) for step in later)


def _anchored(anchor: Anchor, run: Run) -> datetime | None:
    """When the policy's clock starts on this run: the real instant, outside hours too.

    Nobody owes anything before they have it: on a hop, `qualified` is the assignment.
    """
    if anchor is Anchor.QUALIFIED and run.scope is Scope.JOURNEY:
        return run.first.qualified_at
    if anchor in {Anchor.QUALIFIED, Anchor.ASSIGNED}:
        held = (it.assigned_at or it.occurred_at for it in run.told if it.rep is not None)
        return min(held, default=None)
    causes = ACCEPTANCE if anchor is Anchor.ACCEPTED else {Change.WON}
    return min((it.occurred_at for it in run.told if it.change in causes), default=None)


def _ended(clock: Clock, policy: Policy, run: Run, calendar: CompiledCalendar) -> Clock:
    """The clock with its end, if it has one: the first thing that happened, not the first we heard."""
    told, ends = (
        (_after_the_win(run.told), ()) if policy.anchor is Anchor.WON else (run.told, run.ends)
    )
    stop = _earliest([it for it in told if it.change in STOPS[policy.kind]])
    end = _earliest(ends)
    if stop is not None and (end is None or stop.occurred_at <= end.occurred_at):
        at = max(stop.occurred_at, clock.started_at)
        state = State.LATE if at > clock.due_at else State.MET
        by = stop.change
    elif end is not None:
        at, state, by = max(end.occurred_at, clock.started_at), State.CANCELLED, end.change
    else:
        return clock
    spent = calendar.elapsed(clock.started_at, at)
    return clock._replace(state=state, end=End(at, by.value, spent))


def _after_the_win(told: Sequence[HandoffChanged]) -> tuple[HandoffChanged, ...]:
    """What is promised to a customer begins with the win."""
    won = next(place for place, it in enumerate(told) if it.change is Change.WON)
    return tuple(told[won + 1 :])


def _earliest(changes: Sequence[HandoffChanged]) -> HandoffChanged | None:
    return min(changes, key=lambda it: (it.occurred_at, it.sequence), default=None)
