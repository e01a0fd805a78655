"""Faults of the table of channels: rules that name nothing, and events that are never touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.agreement.channels import is_never_a_touch
from shared.agreement.model import ChannelRule
from shared.agreement.problem import Problem


def channel_problems(rules: Sequence[ChannelRule]) -> Iterator[Problem]:
    """Every fault of the rules of the section `channels`."""
    for index, rule in enumerate(rules):
        if not rule.model_fields_set - {"channel"}:
            message = "by what is it known? write `mediums`, `sources`, `referrers` or `types`"
            yield Problem(("channels", index), message)
        for at, type_ in enumerate(rule.types):
            if is_never_a_touch(type_):
                message = f"`{type_}` is never a touch, since no person need do anything for it; delete it"
                yield Problem(("channels", index, "types", at), message)
