"""Conditions over what is known of handoffs, which reports are narrowed by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from services.alignment.domain.groups import Group, Groups, groups_where
from shared.agreement.cel.check import condition_faults
from shared.agreement.cel.condition import Condition
from shared.agreement.cel.cost import Size, cost_of
from shared.agreement.contexts import HANDOFF
from shared.errors import Rejected

MAX_GROUPS = 20_000
"""The groups of handoffs for which one condition is evaluated."""
MAX_WORK_NS = 1_000_000_000
"""All evaluations of one condition together, as estimated beforehand."""


class BadCondition(Rejected):
    """The condition is no CEL, reads something else than what is known of handoffs, or is too much work."""

    code: ClassVar[str] = "bad_condition"


def condition_of(source: str) -> Condition:
    """The condition over what is known of handoffs; raises BadCondition with the character of its first fault."""
    condition = Condition(source, "where")
    for fault in condition_faults(condition, HANDOFF):
        raise BadCondition(f"`where`, at character {fault.offset + 1}: {fault.message}")
    return condition


def matching(condition: Condition, fields: tuple[str, ...], groups: Sequence[Group]) -> Groups:
    """Those of the groups of which the condition is true; raises BadCondition where there are too many."""
    if len(groups) > MAX_GROUPS:
        raise BadCondition(
            f"leads of this period have more than {MAX_GROUPS:,} different values of {', '.join(fields)}: name a "
            "shorter one, or narrow it by parameters such as `team` instead of `where`"
        )
    cost = cost_of(condition.source)
    characters = max((sum(map(len, it)) for it in groups), default=0)
    if cost.work_ns(Size(0, characters)) * len(groups) > MAX_WORK_NS and not cost.is_bounded:
        raise BadCondition(
            "`where` is too much work for the leads of this period: name a shorter one, or compare with `==`, `in` or "
            "`startsWith` instead of patterns and loops"
        )
    return groups_where(condition, fields, groups)
