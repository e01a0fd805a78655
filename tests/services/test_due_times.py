"""Routing, which says due times to reps, and the SLA monitor, which breaches promises, count the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.answers import PastStep
from services.routing.domain.applied_terms import AppliedTerms, PromisedHandoff
from services.routing.domain.due_times import DueTimes
from services.routing.domain.handoff import Handoff, State
from services.routing.domain.policy import RoutingPolicy
from services.sla_monitor.domain.clocks import POLICY_ENDED, Clock
from services.sla_monitor.domain.derivation import derive_clocks
from services.sla_monitor.domain.policy import SlaPolicy
from services.sla_monitor.domain.terms import AppliedVersion
from shared.agreement.model import Agreement
from shared.contracts.payloads import Change, HandoffChanged
from tests.builders import DEFAULT_SECTIONS, NOON, agreement, minutes
from tests.services.routing.builders import handoff
from tests.services.sla_monitor.builders import numbered, policy, sla_section, step

REASONS = [
    {"id": "later", "kinds": ["first_touch"], "longest": "2h"},
    {"id": "trip", "kinds": ["first_touch", "meeting"], "longest": "5h"},
]
LONGEST = {"later": 120, "trip": 300}


def promises(minutes_each: int, *without: str) -> list[dict[str, Any]]:
    """A promise of each scope and anchor, those left out that are named."""
    target = {"target": f"{minutes_each}m"}
    meeting = {"kind": "meeting", "outcomes": ["met"], **target}
    every = [
        policy("accept", kind="accept", **target),
        policy("touch", **target),
        policy("first", scope="journey", anchor="qualified", **target),
        policy("assigned", scope="journey", **target),
        policy("met", scope="journey", anchor="accepted", **meeting),
        policy("met_by_rep", anchor="accepted", **meeting),
    ]
    return [it for it in every if it["id"] not in without]


def version(hours: str, *policies: dict[str, Any]) -> Agreement:
    """An agreement with these promises, whose team works these hours."""
    routing = {
        **DEFAULT_SECTIONS["routing"],
        "teams": [{"id": "sales", "calendar": hours}],
        "pause_reasons": REASONS,
    }
    return agreement(routing=routing, sla=sla_section(*policies))


AGREEMENTS = {
    1: version("office", *promises(120)),
    2: version("always", *promises(45, "touch", "met")),
    3: version("office", *promises(400, "first", "met_by_rep")),
}


@dataclass
class Life:
    """A handoff as it goes on, in the words of either service; at noon the lead qualified and Grace got it."""

    minute: int = 0
    hop: int = 1
    assigned_at: datetime = NOON
    calendar: str | None = None
    changes: list[HandoffChanged] = field(default_factory=list)
    steps: list[PastStep] = field(default_factory=list)
    versions: list[AppliedVersion] = field(default_factory=list)

    def add(self, change: Change, at: int, **details: Any) -> None:
        """A change that happened so many minutes after noon."""
        rep, since = f"rep_{self.hop}", self.assigned_at
        at = max(at, int((since - NOON) / minutes(1)))
        self.changes.append(
            step(
                change,
                at,
                hop=self.hop,
                rep=rep,
                assigned_at=since,
                calendar=self.calendar,
                **details,
            )
        )
        self.steps.append(
            PastStep(change, NOON + minutes(at), f"rep/{rep}", self.hop, rep, details)
        )

    def goes_on(self, event: str, after: int, late: int) -> None:
        """What happens next; answers may be reported late."""
        self.minute += after
        at = max(0, self.minute - late)
        match event:
            case "accept":
                self.add(Change.ACCEPTED, at)
            case "later" | "trip":
                end = max(at, int((self.assigned_at - NOON) / minutes(1))) + LONGEST[event]
                self.add(Change.PAUSED, at, reason=event, resumes_at=NOON + minutes(end))
            case "resume":
                self.add(Change.RESUMED, at)
            case "next":
                self.hop, self.assigned_at = self.hop + 1, NOON + minutes(self.minute)
                self.calendar = "always" if self.hop == 2 else None
                self.add(Change.REASSIGNED, self.minute)
            case _:
                number, _, ended = event.partition("/")
                applied = AppliedVersion(int(number), NOON + minutes(self.minute), ended or None)
                self.versions.append(applied)

    @property
    def handoff(self) -> Handoff:
        """The handoff as routing has it now."""
        return handoff(
            State.ACCEPTED,
            rep=f"rep_{self.hop}",
            hop=self.hop,
            assigned_at=self.assigned_at,
            calendar=self.calendar,
        )

    def clocks(self) -> list[Clock]:
        """The clocks of the journey and of the last hop."""
        pinned = {number: SlaPolicy(number, it) for number, it in AGREEMENTS.items()}
        derived = derive_clocks(numbered(*self.changes), pinned, self.versions)
        return [it for it in derived if it.hop in (0, self.hop)]

    def due_times(self) -> dict[str, datetime]:
        """When routing says that its promises are due."""
        applied = [AppliedTerms(it.applied_at, it.version, it.policy) for it in self.versions]
        versions = {
            number: DueTimes(it, RoutingPolicy(number, it).teams["sales"])
            for number, it in AGREEMENTS.items()
        }
        promised = PromisedHandoff(self.handoff, self.steps, applied)
        return {policy.id: due_at for policy, due_at in promised.due_times(versions)}


EVENTS = st.tuples(
    st.sampled_from(["accept", "later", "trip", "resume", "next"]),
    st.integers(0, 200),
    st.sampled_from([0, 0, 10, 300]),
)
APPLIED = st.sampled_from([(), ("2",), ("3",), ("2", "3"), ("3/first",), ("2/touch", "3")])


@given(events=st.lists(EVENTS, max_size=12), applied=APPLIED, data=st.data())
def test_both_services_count_the_same_due_times(
    events: Sequence[tuple[str, int, int]], applied: Sequence[str], data: st.DataObject
) -> None:
    life = Life()
    life.add(Change.ASSIGNED, 0)
    when = sorted(data.draw(st.integers(0, len(events))) for _ in applied)
    for number in range(len(events) + 1):
        for version_applied, at in zip(applied, when, strict=True):
            if at == number:
                life.goes_on(version_applied, 1, 0)
        if number < len(events):
            life.goes_on(*events[number])

    due_times, clocks = life.due_times(), life.clocks()

    counted = {it.policy: it.due_at for it in clocks if it.ended_at is None}
    assert {id: due_times.get(id) for id in counted} == counted
    assert due_times.keys().isdisjoint(it.policy for it in clocks if it.ended_by == POLICY_ENDED)
    assert due_times.keys() <= {it.policy for it in clocks}
