"""The file of reps: teams, reps with their limits, and the endpoints at which all of them are notified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, tzinfo
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from services.routing.domain.endpoints import Address
from services.routing.domain.formats import Format
from services.routing.domain.notifications import (
    MARKETING_ENDPOINT,
    OPS_ENDPOINT,
    rep_endpoint,
    team_endpoint,
)
from services.routing.domain.roster import Absence, Rep
from services.routing.roster_fields import Domain, Email, Instant, Limit, Section, Url, Words
from shared.agreement.model import Agreement, Id, Label
from shared.documents import Document, InvalidDocument, Path, nearest
from shared.documents.limits import AtMost, Between
from shared.errors import Rejected

MAX_ACCOUNTS = 10_000
"""The most accounts of a file of reps; a CSV of accounts may have more."""


class Endpoint(Section):
    """A URL that gets webhooks."""

    url: Url = Field(description="`https://…`, or `http://…` where the settings allow it.")
    format: Literal["standard", "slack", "teams"] = Field(
        default="standard",
        description="JSON of Standard Webhooks, a message for an incoming webhook of Slack, or a card for a "
        "workflow of Microsoft Teams.",
    )

    def address(self) -> Address:
        """Where webhooks go, and in which format."""
        return Address(self.url, Format(self.format))


class Capacity(Section):
    """The limits of a rep; without a value there is no limit."""

    open: Limit | None = Field(
        default=None, description="The most handoffs that the rep may hold at once."
    )
    per_day: Limit | None = Field(
        default=None,
        description="The most assignments in a day of the team's time zone. A promise of `capacity` counts them, and "
        "is known if each rep has one.",
    )


class TimeOff(Section):
    """Time off. `to` is the first instant, or the first day, back at work."""

    since: Instant = Field(
        alias="from",
        description="2026-12-24, from midnight in the zone of the rep's hours, or with time and offset.",
    )
    until: Instant = Field(
        alias="to",
        description="The first day, or the first instant, back at work, written as `from`.",
    )

    def absence(self, zone: tzinfo = UTC) -> Absence:
        """The time off as instants; a date begins at midnight in this zone."""
        return Absence(_instant(self.since, zone), _instant(self.until, zone))


class RepEntry(Section):
    """A rep."""

    id: Id
    name: Label = Field(min_length=1, description="The name for people to read.")
    email: Email = Field(description="The address of the rep, for people; no mail is sent to it.")
    team: Id = Field(description="A team of the agreement.")
    endpoint: Endpoint | None = Field(
        default=None,
        description="Where the rep is notified. Without it: where `leadbaton endpoints set` says, else nowhere.",
    )
    territories: Words = Field(default=(), description="For `match`, such as countries.")
    languages: Words = Field(default=(), description="For `match`, such as `en`.")
    skills: Words = Field(default=(), description="For `match`, such as products.")
    segments: Words = Field(default=(), description="For `match`, such as sizes of companies.")
    weight: Annotated[float, Between(0.001, 1000)] = Field(
        default=1.0, description="The size of the rep's fair share beside others."
    )
    capacity: Capacity = Field(default=Capacity(), description="Limits; without one, none.")
    hours: Id | None = Field(default=None, description="A calendar; by default the team's.")
    time_off: Annotated[tuple[TimeOff, ...], AtMost(200)] = Field(
        default=(), description="Dates on which the rep gets no leads."
    )
    active: bool = Field(default=True, description="Whether the rep gets leads at all.")

    def with_instants(self, zone: tzinfo) -> Self:
        """The rep with instants in place of dates."""
        absences = [it.absence(zone) for it in self.time_off]
        time_off = [TimeOff.model_construct(since=it.since, until=it.until) for it in absences]
        return self.model_copy(update={"time_off": tuple(time_off)})

    def rep(self, position: int) -> Rep:
        """The rep, whose rank is the position in the file."""
        return Rep(
            id=self.id,
            name=self.name,
            email=self.email,
            team=self.team,
            position=position,
            territories=self.territories,
            languages=self.languages,
            skills=self.skills,
            segments=self.segments,
            weight=self.weight,
            open_limit=self.capacity.open,
            per_day_limit=self.capacity.per_day,
            hours=self.hours,
            time_off=tuple(it.absence() for it in self.time_off),
            active=self.active,
        )


class TeamEntry(Section):
    """The fallback of a team."""

    id: Id = Field(description="A team of the agreement.")
    fallback: Endpoint = Field(description="Notified of what the team's reps cannot be told.")


class AccountEntry(Section):
    """A company whose leads go to one rep first."""

    domain: Domain = Field(description="Of the addresses of its people.")
    rep: Id = Field(description="The rep who owns it.")


class RosterFile(Section):
    """The file of reps. A rep who is missing in a later file becomes inactive."""

    ops: Endpoint | None = Field(default=None, description="Notified where a team has no fallback.")
    marketing: Endpoint | None = Field(
        default=None,
        description="Gets once a day what became of each campaign's leads: `campaign.outcome`.",
    )
    teams: Annotated[tuple[TeamEntry, ...], AtMost(200)] = Field(
        default=(), description="Fallbacks of teams."
    )
    reps: Annotated[tuple[RepEntry, ...], AtMost(10_000)] = Field(
        min_length=1, description="The reps, in the order of their rank."
    )
    accounts: Annotated[tuple[AccountEntry, ...], AtMost(MAX_ACCOUNTS)] | None = Field(
        default=None,
        description="Companies and the reps who own them. Without it they stay as they are; for many, import a CSV.",
    )

    def all_reps(self) -> list[Rep]:
        """The reps, ranked by their order in the file."""
        return [it.rep(position) for position, it in enumerate(self.reps)]

    def with_instants(self, agreement: Agreement | None) -> Self:
        """The file with instants in place of dates, each at midnight in the zone of the rep's hours."""
        reps = [it.with_instants(_zone_of(it, agreement)) for it in self.reps]
        return self.model_copy(update={"reps": tuple(reps)})

    def addresses(self) -> dict[str, Address]:
        """Each endpoint's address, by the endpoint's id."""
        return {id: it.address() for id, (_, it) in self._endpoints().items()}

    def _endpoints(self) -> dict[str, tuple[Path, Endpoint]]:
        named: dict[str, tuple[Path, Endpoint]] = {}
        for index, rep in enumerate(self.reps):
            if rep.endpoint is not None:
                named[rep_endpoint(rep.id)] = (("reps", index, "endpoint", "url"), rep.endpoint)
        for index, team in enumerate(self.teams):
            named[team_endpoint(team.id)] = (("teams", index, "fallback", "url"), team.fallback)
        if self.ops is not None:
            named[OPS_ENDPOINT] = (("ops", "url"), self.ops)
        if self.marketing is not None:
            named[MARKETING_ENDPOINT] = (("marketing", "url"), self.marketing)
        return named

    def problems(
        self, agreement: Agreement | None, check_url: Callable[[str], None]
    ) -> Iterator[tuple[Path, str]]:
        """Each problem between parts of the file, with its path."""
        yield from _duplicates("reps", "id", [it.id for it in self.reps])
        yield from _duplicates("teams", "id", [it.id for it in self.teams])
        yield from self._account_problems()
        for path, endpoint in self._endpoints().values():
            try:
                check_url(endpoint.url)
            except Rejected as refusal:
                yield path, refusal.message
        for index, rep in enumerate(self.reps):
            zone = _zone_of(rep, agreement)
            for number, absence in enumerate(it.absence(zone) for it in rep.time_off):
                if absence.since >= absence.until:
                    message = "`to` must be later than `from`: it is the first day back at work"
                    yield ("reps", index, "time_off", number), message
        if agreement is not None:
            yield from self._unknown_ids(agreement)

    def _account_problems(self) -> Iterator[tuple[Path, str]]:
        accounts, reps = self.accounts or (), {it.id for it in self.reps}
        yield from _duplicates("accounts", "domain", [it.domain for it in accounts])
        for index, account in enumerate(accounts):
            if account.rep not in reps:
                message = f"there is no rep {account.rep!r} here; {nearest(account.rep, reps, 'there are')}"
                yield ("accounts", index, "rep"), message

    def _unknown_ids(self, agreement: Agreement) -> Iterator[tuple[Path, str]]:
        teams = {it.id for it in agreement.routing.teams}
        calendars = {it.id for it in agreement.sla.calendars}
        for index, rep in enumerate(self.reps):
            if rep.team not in teams:
                yield ("reps", index, "team"), _unknown_id("team", rep.team, teams)
            if rep.hours is not None and rep.hours not in calendars:
                yield ("reps", index, "hours"), _unknown_id("calendar", rep.hours, calendars)
        for index, team in enumerate(self.teams):
            if team.id not in teams:
                yield ("teams", index, "id"), _unknown_id("team", team.id, teams)


def parse(
    source: str,
    *,
    name: str,
    agreement: Agreement | None,
    check_url: Callable[[str], None],
) -> RosterFile:
    """The file. Raises InvalidDocument with every fault, its line and its column."""
    document = Document.of(source, name=name)
    reading = document.read_as(RosterFile)
    faults = list(reading.faults)
    if reading.value is not None:
        faults += [
            document.fault(path, message)
            for path, message in reading.value.problems(agreement, check_url)
            if not reading.unread.overlaps(path)
        ]
    if faults or reading.value is None:
        raise InvalidDocument(name, faults)
    return reading.value.with_instants(agreement)


def _instant(value: date | datetime, zone: tzinfo) -> datetime:
    at = value if isinstance(value, datetime) else datetime.combine(value, time(), zone)
    return at.astimezone(UTC)


def _zone_of(rep: RepEntry, agreement: Agreement | None) -> tzinfo:
    """The zone of the rep's hours, else of the team's; UTC where the agreement has neither, or there is none yet."""
    if agreement is None:
        return UTC
    calendars = {it.id: it.zone for it in agreement.sla.calendars}
    team_calendars = {it.id: it.calendar for it in agreement.routing.teams}
    zone = calendars.get(rep.hours or team_calendars.get(rep.team, ""))
    return UTC if zone is None else ZoneInfo(zone)


def _duplicates(section: str, field: str, ids: list[str]) -> Iterator[tuple[Path, str]]:
    earlier: set[str] = set()
    for index, id in enumerate(ids):
        if id in earlier:
            yield (section, index, field), f"{id!r} is there twice; give each its own {field}"
        earlier.add(id)


def _unknown_id(kind: str, id: str, known: set[str]) -> str:
    return f"the agreement has no {kind} {id!r}; write one of {', '.join(sorted(known))}"
