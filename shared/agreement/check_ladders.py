"""Faults of ladders: steps out of order, and fields that have no effect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from shared.agreement.model import Anchor, EscalationStep, Policy
from shared.agreement.problem import Problem
from shared.contracts.payloads import Scope
from shared.documents import Path

PEOPLE = ("rep", "lead")


def ladder_problems(policy: Policy, path: Path) -> Iterator[Problem]:
    """Every fault of the policy's ladder, which is at this path."""
    for index, step in enumerate(policy.ladder):
        yield from _step_problems(step, policy, (*path, index))
    for index, (earlier, later) in enumerate(pairwise(policy.ladder), start=1):
        if offset_of(later) < offset_of(earlier):
            field = "after" if later.before is None else "before"
            yield Problem(
                (*path, index, field),
                "a step before the one above it; put the steps in order of time",
            )


def offset_of(step: EscalationStep) -> timedelta:
    """The business time from the due time to the step; negative for one before it."""
    return step.after if step.before is None else -step.before


def _action_problems(step: EscalationStep, policy: Policy, path: Path) -> Iterator[Problem]:
    if (step.notify is None) == (step.do is None):
        message = "a step notifies somebody or does something; write `notify` or `do`, not both"
        yield Problem(path if step.do is None else (*path, "do"), message)
    if (step.lasts is None) == (step.do == "set_unavailable"):
        message = "`set_unavailable` needs a length, and nothing else has one; write `do: set_unavailable, for: 1d`"
        yield Problem(path if step.lasts is None else (*path, "for"), message)
    if step.do is None:
        return
    if policy.scope is not Scope.HOP or policy.anchor not in (Anchor.ASSIGNED, Anchor.QUALIFIED):
        yield Problem(
            (*path, "do"),
            "only a promise of a rep who has not accepted yet takes the handoff from that rep; write `scope: hop` "
            "and `anchor: assigned`, or `notify`",
        )
    if step.before is not None:
        yield Problem((*path, "before"), "nothing is done before a breach; write `after`")


def _step_problems(step: EscalationStep, policy: Policy, path: Path) -> Iterator[Problem]:
    yield from _action_problems(step, policy, path)
    if step.before is not None and "after" in step.model_fields_set:
        yield Problem(
            (*path, "after"), "a step has `before` or `after`, not both; take one of them out"
        )
    if step.before is not None and step.before >= policy.target > timedelta(0):
        yield Problem(
            (*path, "before"),
            "this is before the clock starts; write less than the `target` of the policy",
        )
    if "quiet_hours" in step.model_fields_set and step.notify not in PEOPLE:
        yield Problem(
            (*path, "quiet_hours"),
            "only messages to people wait; take it out, or write `notify: rep`",
        )
