"""What a change of a handoff does to its lead."""

from __future__ import annotations

from datetime import datetime

from services.scoring.domain.lead import (
    Lead,
    LiveQualification,
    Stage,
    StageChange,
    qualification_key,
)
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.touches import TouchPeriod
from services.scoring.domain.verdict import DISQUALIFIED, Verdict
from shared.contracts.payloads import Change, HandoffChanged
from shared.contracts.touches import TouchCause

STAGES = {
    Change.ASSIGNED: Stage.QUALIFIED,
    Change.REASSIGNED: Stage.QUALIFIED,
    Change.ACCEPTED: Stage.ACCEPTED,
    Change.CONTACTED: Stage.ACCEPTED,
}
"""The stages of leads that a rep holds."""

DISQUALIFY = "disqualify"
"""What follows from a rejection after which the lead does not qualify any more."""

CLOSED = {Change.WON: Stage.WON, Change.LOST: Stage.LOST}
RETURNED = {Change.RETURNED, Change.REJECTED}


def follow_handoff(
    lead: Lead, change: HandoffChanged, policy: ScoringPolicy, *, now: datetime
) -> Verdict:
    """The lead after this change of its handoff. Changes of a handoff must come in order, each once.

    `policy` is the version of the agreement that the handoff names.
    """
    key = qualification_key(change.lead_id, change.qualification)
    if change.change in CLOSED:
        return _closed(lead, key, CLOSED[change.change], change)
    if _hands_back(change):
        return _handed_back(lead, key, change, policy, now)
    if _is_held(change, lead, key):
        live = lead.live.get(key) or LiveQualification(
            change.lead_id, change.qualification, change.tier
        )
        held = lead._replace(live={**lead.live, key: live._replace(held=True)})
        return _step(held, STAGES[change.change], change)
    if change.change is Change.RETURNED and lead.live.keys() > {key}:  # merged into the other one
        others = {other_key: it for other_key, it in lead.live.items() if other_key != key}
        return Verdict(lead._replace(live=others))
    if (change.rep is None or change.change in RETURNED) and key in lead.live:
        released = lead.live[key]._replace(held=False)
        return Verdict(lead._replace(live={**lead.live, key: released}))
    return Verdict(lead)


def _is_held(change: HandoffChanged, lead: Lead, key: str) -> bool:
    """Whether a rep works on the lead. A contact about a qualification that is closed came after a win."""
    is_after_win = change.change is Change.CONTACTED and key not in lead.live
    return change.change in STAGES and change.rep is not None and not is_after_win


def closing_of(before: Lead, change: HandoffChanged) -> TouchPeriod | None:
    """The period of the lead that ends with the change; None if it closes no qualification.

    What is handed back is closed once, by the first of the changes that say so.
    """
    key = qualification_key(change.lead_id, change.qualification)
    if change.change not in CLOSED and not (_hands_back(change) and key in before.live):
        return None
    return TouchPeriod(
        before.id,
        change.lead_id,
        change.qualification,
        TouchCause.CLOSED,
        change.occurred_at,
        change.sequence,
    )


def _hands_back(change: HandoffChanged) -> bool:
    """Whether the lead goes back to marketing, or is disqualified."""
    return change.change in RETURNED and (change.recycle or change.then == DISQUALIFY)


def _disarmed(lead: Lead, change: HandoffChanged, policy: ScoringPolicy, now: datetime) -> Lead:
    """The lead, which the threshold may not qualify until the reason's wait has passed or its engagement has fallen.

    Its review is due at once, and computes when that will be.
    """
    wait = policy.wait_after(change.reason)
    rearm_at = None if wait is None else change.occurred_at + wait
    return lead._replace(armed=False, rearm_at=rearm_at, review_at=now)


def _handed_back(
    lead: Lead, key: str, change: HandoffChanged, policy: ScoringPolicy, now: datetime
) -> Verdict:
    """The lead, recycled, or disqualified until it is reopened, unless another rep holds it."""
    if change.recycle:
        return _closed(_disarmed(lead, change, policy, now), key, Stage.RECYCLED, change)
    if change.change is Change.RETURNED:  # the rejection before it has disqualified the lead
        return Verdict(lead)
    verdict = _closed(lead, key, Stage.DISQUALIFIED, change)
    if verdict.lead.live:
        return verdict
    blocked = verdict.lead._replace(
        disqualified_at=change.occurred_at,
        blocker=f"{DISQUALIFIED}{change.reason}",
        armed=False,
        rearm_at=None,
        review_at=None,
    )
    return verdict._replace(lead=blocked)


def _closed(lead: Lead, key: str, stage: Stage, change: HandoffChanged) -> Verdict:
    """Close the qualification, and those that no rep holds: routing has merged their handoffs into this one."""
    remaining = {
        other_key: it for other_key, it in lead.live.items() if other_key != key and it.held
    }
    after = lead._replace(live=remaining)
    return Verdict(after) if remaining else _step(after, stage, change)


def _step(lead: Lead, stage: Stage, change: HandoffChanged) -> Verdict:
    if lead.stage is stage:
        return Verdict(lead)
    cause = f"handoff:{change.change}"
    step = StageChange(lead.id, stage, cause, change.occurred_at)
    return Verdict(lead._replace(stage=stage), steps=(step,))
