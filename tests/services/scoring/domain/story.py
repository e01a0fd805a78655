"""A lead over time, for tests with several steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.scoring.domain.handoff import follow_handoff
from services.scoring.domain.lead import Lead, Stage
from services.scoring.domain.policy import ScoringPolicy
from services.scoring.domain.verdict import Verdict, assess, judge
from shared.contracts.payloads import Change
from tests.builders import (
    DEFAULT_SECTIONS,
    NOON,
    agreement,
    an_id,
    days,
    handoff_changed,
    marketing_event,
)


def policy_with(*, wait: str | None = None, **qualification: Any) -> ScoringPolicy:
    """The tests' agreement with these fields of its qualification replaced, and with this wait after `not_ready`."""
    reasons = [{"id": "not_ready", "then": "recycle", "wait": wait}]
    return ScoringPolicy(
        1,
        agreement(
            qualification={**DEFAULT_SECTIONS["qualification"], **qualification},
            routing={**DEFAULT_SECTIONS["routing"], "reject_reasons": reasons},
        ),
    )


POLICY = policy_with()
SUPPRESSING = policy_with(
    suppress=[{"id": "customers", "when": "lead.customer", "reason": "is a customer"}]
)
BLANK = Lead(an_id("ada"), NOON, 1)


class Story:
    """A lead over time, with its steps and the announced changes."""

    def __init__(self, policy: ScoringPolicy = POLICY) -> None:
        self.policy = policy
        self.lead = BLANK
        self.changes: list[str] = []
        self.steps: list[Stage] = []

    def does(self, *types: str, at: datetime = NOON, **fields: Any) -> Story:
        """The lead does something: one batch of events of these types."""
        events = [marketing_event(it, time=at, **fields) for it in types]
        return self._after(assess(self.lead, events, self.policy, now=at))

    def reviewed(self, at: datetime) -> Story:
        """Time passes, and the lead is reviewed."""
        return self._after(judge(self.lead, (), self.policy, now=at))

    def sales(self, change: Change, **fields: Any) -> Story:
        """Sales reports a change of the newest handoff."""
        message = handoff_changed(
            change, lead=BLANK.id, qualification=self.lead.qualification, **fields
        )
        return self._after(follow_handoff(self.lead, message, self.policy, now=message.recorded_at))

    def _after(self, verdict: Verdict) -> Story:
        self.lead = verdict.lead
        self.steps += [step.stage for step in verdict.steps]
        self.changes += [f"{it.change} {it.cause}" for it in verdict.crossings]
        return self


FORMS = ("form_submitted", "form_submitted")
"""Sixty points, which is above the threshold of fifty."""

LATER = NOON + days(20)
"""When sixty points have faded below thirty, which arms the lead again."""
