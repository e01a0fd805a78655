"""The ladder of a policy as it is when a clock starts: its steps, each with its instant."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.sla_monitor.domain.clocks import NOBODY, EscalationStep
from shared.agreement.model import Policy
from shared.calendar.running_time import RunningTime


def escalation_steps(
    policy: Policy, time: RunningTime, due_at: datetime
) -> tuple[EscalationStep, ...]:
    """The steps of a clock that counts this time and is due then, in the order of time."""
    steps = [
        EscalationStep(
            time.calendar.add(due_at, step.after)
            if step.before is None
            else time.end(max(timedelta(0), policy.target - step.before)),
            step.notify or step.do or NOBODY,
            step.quiet_hours == "wait",
            0 if step.lasts is None else int(step.lasts.total_seconds()),
        )
        for step in policy.ladder
    ]
    return tuple(sorted(steps, key=lambda it: it.at))
