"""Accounts and the reps who own them: which rep owns a lead's account, and in which team the lead begins."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.routing.domain.policy import RuleMatch
from services.routing.domain.roster import Rep, Roster
from shared.agreement.cel.compile import Facts
from shared.agreement.model import RoutingRule, Strategy


class Account(NamedTuple):
    """A company by its domain, with the rep who owns it."""

    domain: str
    rep: str


class StagedAccount(NamedTuple):
    """A row of an import, with its line in the file."""

    line: int
    domain: str
    rep: str


class AccountChange(NamedTuple):
    """An account that an import adds, gives to another rep, or removes."""

    domain: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class AccountsDifference:
    """What an import of accounts changes."""

    added: int
    changed: int
    removed: int
    first: Sequence[AccountChange]
    """The first changes, by domain."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns the accounts of some leads."""

    by_domain: Mapping[str, str]
    """The rep's id, by the domain of the account."""
    roster: Roster

    def owner_of(self, facts: Facts, *, trait: str | None) -> Rep | None:
        """The rep who owns the account: by the domain of the e-mail address, the account's domain, or this trait.

        A rep whom the roster does not have owns nothing.
        """
        names = [self.by_domain.get(it) for it in domains_of(facts)]
        if trait is not None:
            names.append(facts["lead"].get(trait))
        reps = (self.roster.find(it) for it in names if it)
        return next((it for it in reps if it is not None), None)

    def added_to(self, match: RuleMatch, *, trait: str | None) -> RuleMatch:
        """The match with the owner of the lead's account, where the rule asks for one."""
        owner = self.owner_of(match.facts, trait=trait) if match.rule.asks_owner else None
        return match if owner is None else match._replace(owner=owner.id)


def domains_of(facts: Facts) -> list[str]:
    """The domain of the lead's e-mail address and its account, by which its owner is looked up."""
    lead = facts["lead"]
    return [str(lead[it]).lower() for it in ("domain", "account") if it in lead]


def first_team(
    rule: RoutingRule, owner: Rep | None, previous: Rep | None, *, teams: Collection[str]
) -> str:
    """The team in which the lead begins: that of its owner or previous rep where the rule reaches across `teams`.

    A rep who is not active does not count.
    """
    reps = (it for it in _across_teams(rule, owner, previous) if it is not None)
    return next((it.team for it in reps if it.active and it.team in teams), rule.team)


def _across_teams(
    rule: RoutingRule, owner: Rep | None, previous: Rep | None
) -> Iterable[Rep | None]:
    """The reps to whom the rule gives the lead whatever their team, the first one first."""
    if rule.sticky_across_teams:
        return owner, previous
    return (owner,) if rule.strategy is Strategy.OWNER else ()
