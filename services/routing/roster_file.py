"""The file of reps: who they are, what they can take, where they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from services.routing.domain.notifications import OPS_ENDPOINT, rep_endpoint, team_endpoint
from services.routing.domain.roster import Absence, Rep
from shared.agreement.model import Agreement, Id, Label
from shared.documents import Document, Fault, InvalidDocument, Path
from shared.documents.limits import AtMost, Between
from shared.errors import Rejected


def _http(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise ValueError("a URL begins with https:// (or http://)")
    return url


Url = Annotated[str, AtMost(2000), AfterValidator(_http)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1), AtMost(100)], ...], AtMost(200)]
Instant = Annotated[date | AwareDatetime, Between(date(2000, 1, 1), date(2100, 12, 31))]
"""A date or an instant."""
Limit = Annotated[int, Between(1, 100_000)]


class Section(BaseModel):
    """A part of the file; a name that it does not know is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Endpoint(Section):
    """Where webhooks go."""

    url: Url
    format: Literal["standard"] = Field(default="standard", description="Standard Webhooks, JSON.")


class Capacity(Section):
    """How much a rep takes; absent: no limit."""

    open: Limit | None = Field(default=None, description="Most handoffs held at once.")
    per_day: Limit | None = Field(
        default=None, description="Most assignments in a day of the team's zone."
    )


class TimeOff(Section):
    """Half-open: `to` is the first instant, or the first day, back at work."""

    since: Instant = Field(
        alias="from", description="2026-12-24 (from midnight UTC), or with time and offset."
    )
    until: Instant = Field(alias="to")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.absence().since >= self.absence().until:
            raise ValueError("`to` must be later than `from`: it is the first day back at work")
        return self

    def absence(self) -> Absence:
        """As instants."""
        return Absence(_instant(self.since), _instant(self.until))


class RepEntry(Section):
    """Somebody who may get leads."""

    id: Id
    name: Label = Field(min_length=1)
    email: Annotated[str, AtMost(254)] = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    team: Id
    endpoint: Endpoint = Field(description="Where this rep is told; nobody can be without one.")
    territories: Words = ()
    languages: Words = ()
    skills: Words = ()
    segments: Words = ()
    weight: Annotated[float, Between(0.001, 1000)] = Field(
        default=1.0, description="The part of a fair share."
    )
    capacity: Capacity = Capacity()
    hours: Id | None = Field(default=None, description="A calendar; by default the team's.")
    time_off: Annotated[tuple[TimeOff, ...], AtMost(200)] = ()
    active: bool = True

    def rep(self, position: int) -> Rep:
        """As routing knows them."""
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
    """Who is told when a team's promise is not kept."""

    id: Id
    fallback: Endpoint


class RosterFile(Section):
    """The file of reps. Whoever is not in it any more gets no leads any more."""

    ops: Endpoint | None = Field(default=None, description="Told when a team has no fallback.")
    teams: Annotated[tuple[TeamEntry, ...], AtMost(200)] = ()
    reps: Annotated[tuple[RepEntry, ...], AtMost(10_000)] = Field(min_length=1)

    def all_reps(self) -> list[Rep]:
        """The reps, in their order: that is their rank."""
        return [it.rep(position) for position, it in enumerate(self.reps)]

    def urls(self) -> dict[str, str]:
        """Each endpoint's URL, by the endpoint's id."""
        return {id: url for id, (_, url) in self._endpoints().items()}

    def _endpoints(self) -> dict[str, tuple[Path, str]]:
        urls: dict[str, tuple[Path, str]] = {}
        for at, rep in enumerate(self.reps):
            urls[rep_endpoint(rep.id)] = (("reps", at, "endpoint", "url"), rep.endpoint.url)
        for at, team in enumerate(self.teams):
            urls[team_endpoint(team.id)] = (("teams", at, "fallback", "url"), team.fallback.url)
        if self.ops is not None:
            urls[OPS_ENDPOINT] = (("ops", "url"), self.ops.url)
        return urls

    def problems(
        self, agreement: Agreement | None, check_url: Callable[[str], None]
    ) -> Iterator[tuple[Path, str]]:
        """What is wrong with the file as a whole, and where."""
        yield from _twice("reps", [it.id for it in self.reps])
        yield from _twice("teams", [it.id for it in self.teams])
        for path, url in self._endpoints().values():
            try:
                check_url(url)
            except Rejected as refused:
                yield path, refused.message
        if agreement is not None:
            yield from self._unknown(agreement)

    def _unknown(self, agreement: Agreement) -> Iterator[tuple[Path, str]]:
        teams = {it.id for it in agreement.routing.teams}
        calendars = {it.id for it in agreement.sla.calendars}
        for at, rep in enumerate(self.reps):
            if rep.team not in teams:
                yield ("reps", at, "team"), _not_among("team", rep.team, teams)
            if rep.hours is not None and rep.hours not in calendars:
                yield ("reps", at, "hours"), _not_among("calendar", rep.hours, calendars)
        for at, team in enumerate(self.teams):
            if team.id not in teams:
                yield ("teams", at, "id"), _not_among("team", team.id, teams)


def parse(
    source: str,
    *,
    name: str,
    agreement: Agreement | None,
    check_url: Callable[[str], None],
) -> RosterFile:
    """The file, or InvalidDocument with every fault, its line and its column."""
    document = Document.of(source, name=name)
    roster = document.into(RosterFile)
    faults: list[Fault] = [
        document.fault(path, message) for path, message in roster.problems(agreement, check_url)
    ]
    if faults:
        raise InvalidDocument(name, faults)
    return roster


def _instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


def _twice(section: str, ids: list[str]) -> Iterator[tuple[Path, str]]:
    before: set[str] = set()
    for at, id in enumerate(ids):
        if id in before:
            yield (section, at, "id"), f"{id!r} is there twice; give each its own id"
        before.add(id)


def _not_among(kind: str, id: str, known: set[str]) -> str:
    return f"the agreement has no {kind} {id!r}; write one of {', '.join(sorted(known))}"
