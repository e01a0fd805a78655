"""Faults of promises: anchors that leave nothing to promise, and warnings that come before the start."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shared.agreement.check_ladders import ladder_problems
from shared.agreement.model import Anchor, Policy
from shared.agreement.problem import Problem
from shared.documents import Path

_IMPOSSIBLE_ANCHORS = {
    "accept": (Anchor.ACCEPTED, Anchor.WON),
    "first_touch": (Anchor.WON,),
}


def policy_problems(policy: Policy, path: Path) -> Iterator[Problem]:
    """Every fault of the policy, which is at this path."""
    if policy.target <= timedelta(0):
        yield Problem((*path, "target"), "a target of no time is never met; write one such as 15m")
    if policy.anchor in _IMPOSSIBLE_ANCHORS[policy.kind]:
        yield Problem(
            (*path, "anchor"),
            f"`{policy.kind}` is over when a handoff is {policy.anchor}; anchor it at assigned or qualified",
        )
    yield from _warning_problems(policy, path)
    yield from ladder_problems(policy, (*path, "ladder"))


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
