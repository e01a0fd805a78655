"""Faults of promises: anchors that leave nothing to promise, and warnings that come before the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from shared.agreement.check_conditions import unknown
from shared.agreement.check_ladders import ladder_problems
from shared.agreement.model import Anchor, Policy
from shared.agreement.problem import Problem
from shared.documents import Path

_IMPOSSIBLE_ANCHORS = {
    "accept": (Anchor.ACCEPTED, Anchor.WON),
    "first_touch": (Anchor.WON,),
    "meeting": (Anchor.WON,),
    "outcome": (Anchor.WON,),
    "attempts": (Anchor.WON,),
}
"""Anchors at which a promise of a kind is over already."""

SATISFACTION = "satisfaction"

_OF_KINDS = {
    "outcomes": ("meeting", SATISFACTION),
    "count": ("attempts",),
    "spread": ("attempts",),
}
"""Fields that a few kinds have."""


def policy_problems(
    policy: Policy, path: Path, outcomes: Sequence[str] | None
) -> Iterator[Problem]:
    """Every fault of the policy, which is at this path; `outcomes` of contacts are None where they are unread."""
    if policy.target <= timedelta(0):
        yield Problem((*path, "target"), "a target of no time is never met; write one such as 15m")
    if policy.kind == SATISFACTION and policy.anchor is not Anchor.WON:
        message = "the satisfaction of a customer is asked for after the win; write `anchor: won`"
        yield Problem((*path, "anchor"), message)
    if policy.anchor in _IMPOSSIBLE_ANCHORS.get(policy.kind, ()):
        yield Problem(
            (*path, "anchor"),
            f"`{policy.kind}` is over when a handoff is {policy.anchor}; anchor it at assigned or qualified",
        )
    yield from _kind_problems(policy, path, outcomes)
    yield from _warning_problems(policy, path)
    yield from ladder_problems(policy, (*path, "ladder"))


def _kind_problems(policy: Policy, path: Path, outcomes: Sequence[str] | None) -> Iterator[Problem]:
    for field, kinds in _OF_KINDS.items():
        if field in policy.model_fields_set and policy.kind not in kinds:
            names = " and ".join(f"`{it}`" for it in kinds)
            yield Problem(
                (*path, field), f"only promises of the kind {names} have `{field}`; delete it"
            )
    if policy.kind in _OF_KINDS["outcomes"] and not policy.outcomes:
        message = (
            "by which contacts is it met? write `outcomes`, with ids of `routing.contact_outcomes`"
        )
        yield Problem((*path, "kind"), message)
    for index, outcome in enumerate(policy.outcomes):
        if outcomes is not None and outcome not in outcomes:
            yield Problem((*path, "outcomes", index), unknown("outcome", outcome, outcomes))
    if policy.kind == "attempts" and policy.spread and policy.count < 2:
        yield Problem((*path, "spread"), "one attempt has no spread; write `count: 2` or more")


def _warning_problems(policy: Policy, path: Path) -> Iterator[Problem]:
    if policy.warn_before is None:
        return
    if "warn_at" in policy.model_fields_set:
        yield Problem(
            (*path, "warn_before"),
            "a policy has `warn_at` or `warn_before`, not both; take one of them out",
        )
    if policy.warn_before >= policy.target > timedelta(0):
        yield Problem(
            (*path, "warn_before"), "this is before the clock starts; write less than the `target`"
        )
