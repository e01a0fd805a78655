"""Faults between the fields of an agreement: names, types, references, and rules that can never be reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from shared.agreement.channels import CHANNELS
from shared.agreement.check_answers import answer_problems
from shared.agreement.check_calendars import (
    calendar_problems,
    holiday_set_problems,
    open_in_a_week,
)
from shared.agreement.check_card import card_problems
from shared.agreement.check_channels import channel_problems
from shared.agreement.check_conditions import condition_problems, unknown
from shared.agreement.check_policies import policy_problems
from shared.agreement.check_promises import Known, promise_problems
from shared.agreement.contexts import ALL_READ
from shared.agreement.event_types import can_arrive, snake_case
from shared.agreement.facts import BUILT_IN
from shared.agreement.model import Agreement, CardContents, ConsentSources, Strategy, TraitType
from shared.agreement.problem import Problem
from shared.documents import Path, Unread

MAX_WEEKS = 5 * 52
"""A policy's target must fit into the open hours of so many weeks."""
_LISTS_WITH_IDS: tuple[Path, ...] = (
    ("scoring", "fit"),
    ("scoring", "signals"),
    ("qualification", "suppress"),
    ("qualification", "tiers"),
    ("routing", "teams"),
    ("routing", "rules"),
    ("routing", "reject_reasons"),
    ("routing", "contact_outcomes"),
    ("routing", "pause_reasons"),
    ("sla", "calendars"),
    ("sla", "policies"),
    ("promises", "marketing"),
    ("promises", "sales"),
    ("lead_card", "topics"),
)


def problems(agreement: Agreement, unread: Unread = ALL_READ) -> list[Problem]:
    """Everything wrong with an agreement whose fields are each sound, except for those that are unread.

    An unread part has a fault already. Nothing is said of it again, and whatever it may name counts as there.
    """
    return [it for it in _problems(agreement, unread) if not unread.overlaps(it.path)]


def _problems(agreement: Agreement, unread: Unread) -> Iterator[Problem]:
    ids = {
        "tier": _ids(agreement.qualification.tiers, ("qualification", "tiers"), unread),
        "team": _ids(agreement.routing.teams, ("routing", "teams"), unread),
        "calendar": _ids(agreement.sla.calendars, ("sla", "calendars"), unread),
    }
    yield from _reserved_traits(agreement)
    yield from condition_problems(
        agreement,
        unread,
        {
            "tier": ids["tier"],
            "team": ids["team"],
            "channel": _channels(agreement, unread),
            "persona": _ids(agreement.personas, ("personas",), unread),
        },
    )
    yield from _repeated_names(agreement)
    yield from _unarrivable_types(agreement)
    yield from _unknown_references(agreement, unread, teams=ids["team"], calendars=ids["calendar"])
    yield from _invalid_numbers(agreement)
    yield from answer_problems(agreement, unread)
    yield from _owner_problems(agreement)
    outcomes = None
    if not unread.covers(("routing", "contact_outcomes")):
        outcomes = [it.id for it in agreement.routing.contact_outcomes]
    for at, policy in enumerate(agreement.sla.policies):
        yield from policy_problems(policy, ("sla", "policies", at), outcomes)
    yield from _unreachable_targets(agreement)
    for at, calendar in enumerate(agreement.sla.calendars):
        yield from calendar_problems(calendar, ("sla", "calendars", at))
    yield from channel_problems(agreement.channels)
    declared_traits = _keys(agreement.traits, ("traits",), unread)
    yield from card_problems(agreement.lead_card, agreement.traits, declared_traits)
    policies = _ids(agreement.sla.policies, ("sla", "policies"), unread)
    traits = _keys([*agreement.traits, *BUILT_IN], ("traits",), unread)
    yield from promise_problems(agreement, Known(policies, traits), unread)
    yield from holiday_set_problems(agreement.sla.calendars, ("sla", "calendars"))


class _Entry(Protocol):
    @property
    def id(self) -> str: ...


def _ids(entries: Sequence[_Entry], path: Path, unread: Unread) -> list[str] | None:
    """The ids of a list's entries; None where one of them is unread."""
    if unread.covers(path) or any(unread.covers((*path, at, "id")) for at in range(len(entries))):
        return None
    return [it.id for it in entries]


def _keys(mapping: Iterable[str], path: Path, unread: Unread) -> list[str] | None:
    """The keys of a mapping, those of unread entries too; None where the mapping is unread."""
    if unread.covers(path):
        return None
    hidden = {str(it[-1]) for it in unread.paths if it[:-1] == path}
    return sorted({*mapping, *hidden})


def _channels(agreement: Agreement, unread: Unread) -> list[str] | None:
    """The channels that a touch may have; None where one of them is unread."""
    if any(it[:1] == ("channels",) for it in unread.paths):
        return None
    return sorted({*CHANNELS, *(it.channel for it in agreement.channels)})


def _reserved_traits(agreement: Agreement) -> Iterator[Problem]:
    for name in agreement.traits:
        if name in BUILT_IN:
            yield Problem(
                ("traits", name),
                f"`lead.{name}` is always there; take it out of `traits`",
                key=True,
            )


def _repeated_names(agreement: Agreement) -> Iterator[Problem]:
    for path in _LISTS_WITH_IDS:
        section = getattr(getattr(agreement, str(path[0])), str(path[1]))
        yield from _repeated([it.id for it in section], path, "id")
    yield from _repeated([it.id for it in agreement.personas], ("personas",), "id")
    yield from _repeated(agreement.routing.loss_reasons, ("routing", "loss_reasons"))


def _repeated(ids: Sequence[str], path: Path, *field: str) -> Iterator[Problem]:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            message = f"`{name}` is in `{path[-1]}` already; write another name"
            yield Problem((*path, index, *field), message)


def _unknown_references(
    agreement: Agreement,
    unread: Unread,
    *,
    teams: Sequence[str] | None,
    calendars: Sequence[str] | None,
) -> Iterator[Problem]:
    groups = _keys(agreement.scoring.groups, ("scoring", "groups"), unread)
    traits = _keys([*agreement.traits, *BUILT_IN], ("traits",), unread)
    references: list[tuple[Path, str, str | None, Sequence[str] | None]] = [
        *(
            (("scoring", "signals", index, "group"), "group", it.group, groups)
            for index, it in enumerate(agreement.scoring.signals)
        ),
        *(
            (("qualification", "require", index), "trait", it, traits)
            for index, it in enumerate(agreement.qualification.require)
        ),
        *(
            (("routing", "teams", index, "calendar"), "calendar", it.calendar, calendars)
            for index, it in enumerate(agreement.routing.teams)
        ),
        *(
            (("routing", "rules", index, "team"), "team", it.team, teams)
            for index, it in enumerate(agreement.routing.rules)
        ),
        (
            ("routing", "account_owner"),
            "trait",
            agreement.routing.account_owner,
            _keys(agreement.traits, ("traits",), unread),
        ),
    ]
    for path, kind, name, known in references:
        if name is not None and known is not None and name not in known:
            yield Problem(path, unknown(kind, name, known))


def types_of_events(agreement: Agreement) -> list[tuple[Path, str]]:
    """Each type of events that the agreement names, with its path."""
    return [
        *(
            (("scoring", "signals", index, "on"), it.on)
            for index, it in enumerate(agreement.scoring.signals)
        ),
        *(
            (("qualification", "hand_raise", index), it)
            for index, it in enumerate(agreement.qualification.hand_raise)
        ),
        *(
            (("qualification", "reopened_by", index), it)
            for index, it in enumerate(agreement.qualification.reopened_by)
        ),
        *(
            (("channels", index, "types", at), it)
            for index, rule in enumerate(agreement.channels)
            for at, it in enumerate(rule.types)
        ),
        *_types_on_cards(agreement.lead_card),
    ]


def _types_on_cards(contents: CardContents) -> Iterator[tuple[Path, str]]:
    consent = contents.consent or ConsentSources()
    lists: list[tuple[Path, Sequence[str]]] = [
        *(
            (("lead_card", "questions", index, "on"), it.on)
            for index, it in enumerate(contents.questions)
        ),
        (("lead_card", "purchases"), contents.purchases),
        (("lead_card", "consent", "granted_by"), consent.granted_by),
        (("lead_card", "consent", "withdrawn_by"), consent.withdrawn_by),
    ]
    for path, types in lists:
        yield from (((*path, at), it) for at, it in enumerate(types))


def _unarrivable_types(agreement: Agreement) -> Iterator[Problem]:
    """Event types that no event has, because the names of events are converted as they arrive."""
    for path, type_ in types_of_events(agreement):
        if not can_arrive(type_):
            arrives = snake_case(type_)
            hint = (
                f"it arrives as `{arrives}`, write that" if arrives else "write such as page_viewed"
            )
            yield Problem(path, f"no event has the type `{type_}`; {hint}")


def _invalid_numbers(agreement: Agreement) -> Iterator[Problem]:
    grades = agreement.scoring.grades
    for name, bounds in (("fit", grades.fit), ("engagement", grades.engagement)):
        if not bounds[0] > bounds[1] > bounds[2] > 0:
            yield Problem(
                ("scoring", "grades", name),
                "these bounds must fall and stay above 0; write numbers such as [75, 50, 25]",
            )
    threshold = agreement.qualification.threshold
    if threshold and threshold.rearm_below == 0:
        yield Problem(
            ("qualification", "threshold", "rearm_below"),
            "engagement is never below 0, so no lead would cross the threshold twice; write a number such as 20",
        )


def _owner_problems(agreement: Agreement) -> Iterator[Problem]:
    """Fields about owners of accounts that have no effect, and an owner that is no text."""
    kind = agreement.traits.get(agreement.routing.account_owner or "")
    if kind not in (None, TraitType.STRING):
        yield Problem(
            ("routing", "account_owner"),
            f"the trait is a {kind}; name one of type `string`, which has the id or the e-mail address of a rep",
        )
    for index, rule in enumerate(agreement.routing.rules):
        path: Path = ("routing", "rules", index)
        if "otherwise" in rule.model_fields_set and rule.strategy is not Strategy.OWNER:
            message = (
                f"`{rule.id}` does not ask for the owner; write `strategy: owner`, or delete `else`"
            )
            yield Problem((*path, "else"), message)
        if rule.sticky_across_teams and not rule.sticky:
            message = f"`{rule.id}` is not sticky; write `sticky: true`, or delete this"
            yield Problem((*path, "sticky_across_teams"), message)


def _unreachable_targets(agreement: Agreement) -> Iterator[Problem]:
    """Targets that are longer than some calendar is open within five years."""
    for calendar in agreement.sla.calendars:
        weekly = open_in_a_week(calendar)
        for index, policy in enumerate(agreement.sla.policies):
            if weekly and policy.target > MAX_WEEKS * weekly:
                yield Problem(
                    ("sla", "policies", index, "target"),
                    f"`{calendar.id}` is open {weekly.total_seconds() / 3600:g} h a week, so this would be due after "
                    "more than five years; business time counts only open hours, write less",
                )
