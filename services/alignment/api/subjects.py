"""What a figure is about: the subject of a promise, or of a measure that is named in a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import ClassVar

from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.policy import AlignmentPolicy
from shared.agreement.model import Promise
from shared.errors import Rejected

COHORT_DAYS = 90
MAX_COHORT_DAYS = 1095


class UnknownPromise(Rejected):
    """The version of the agreement that is in force has no promise of this id."""

    code: ClassVar[str] = "unknown_promise"


class BadMeasure(Rejected):
    """The request does not name what the measure needs, or names what it cannot have."""

    code: ClassVar[str] = "bad_measure"


def subject_of(promise: Promise, first: date, last: date, now: datetime) -> Subject:
    """What the figure of a promise is about, from the first to the last date."""
    return Subject(
        measure=Measured(promise.measure.value),
        first=first,
        last=last,
        now=now,
        policy=promise.policy,
        traits=promise.traits,
        p=promise.p,
        at_most=promise.at_most,
        cohort=promise.cohort,
    )


def find_promise(policy: AlignmentPolicy | None, id: str) -> Promise:
    """The promise of this id; raises UnknownPromise."""
    promises = [] if policy is None else [it for _, it in policy.promises]
    promise = next((it for it in promises if it.id == id), None)
    if promise is None:
        known = ", ".join(it.id for it in islice(promises, 20)) or "none"
        raise UnknownPromise(
            f"no promise of this id was in force at the end of this period; there are: {known}"
        )
    return promise


def measured_subject(
    measure: Measured, detail: str | None, first: date, last: date, now: datetime
) -> Subject:
    """What the figure of a measure is about; raises BadMeasure where it needs a detail, or cannot read it."""
    subject = Subject(measure, first, last, now)
    if measure is Measured.WIN_RATE:
        return _with_cohort(subject, detail)
    if measure is Measured.REJECTED_SHARE:
        return replace(subject, reason=detail or "")
    if measure is Measured.ATTAINMENT and detail:
        return replace(subject, policy=detail)
    if measure is Measured.COMPLETENESS and detail:
        return replace(subject, traits=tuple(detail.split()))
    if measure in _NEEDED:
        raise BadMeasure(f"`{measure}` needs `of`: {_NEEDED[measure]}")
    if detail is not None:
        raise BadMeasure(f"`{measure}` has no `of`: leave it out")
    return subject


_NEEDED = {
    Measured.ATTAINMENT: "the id of a policy of `sla.policies`",
    Measured.COMPLETENESS: "names of traits, with blanks between them",
}


def _with_cohort(subject: Subject, detail: str | None) -> Subject:
    """The subject with its cohort, of which the detail is the number of days."""
    days = COHORT_DAYS if detail is None else _days(detail)
    return replace(subject, cohort=timedelta(days=days))


def _days(detail: str) -> int:
    digits = detail.removesuffix("d")
    if digits.isascii() and digits.isdigit() and len(digits) <= 4:
        days = int(digits)
        if 1 <= days <= MAX_COHORT_DAYS:
            return days
    raise BadMeasure(
        f"`of` of `win_rate` is a number of days from 1 to {MAX_COHORT_DAYS}, such as 90d"
    )
