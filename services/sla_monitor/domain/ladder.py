"""The ladder of a policy as it is when a clock starts: its steps, each with its instant."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.sla_monitor.domain.clocks import NOBODY, EscalationStep
from shared.agreement.model import Policy
from shared.calendar import CompiledCalendar


def escalation_steps(
    policy: Policy, calendar: CompiledCalendar, *, running_since: datetime, left: timedelta
) -> tuple[EscalationStep, ...]:
    """The steps of a clock that runs since that instant with so much business time left, in the order of time."""
    due_at = calendar.add(running_since, left)
    steps = [
        EscalationStep(
            calendar.add(due_at, step.after)
            if step.before is None
            else calendar.add(running_since, max(timedelta(0), left - step.before)),
            step.notify or step.do or NOBODY,
            step.quiet_hours == "wait",
            0 if step.lasts is None else int(step.lasts.total_seconds()),
        )
        for step in policy.ladder
    ]
    return tuple(sorted(steps, key=lambda it: it.at))
