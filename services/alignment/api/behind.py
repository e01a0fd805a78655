"""Which leads a list has: those behind a measure or a promise, or those of a stage of the funnel."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from sqlalchemy.orm import Session

from services.alignment.api.figures import groups_of
from services.alignment.api.parameters import Parameters
from services.alignment.api.reading import Reading
from services.alignment.api.subjects import (
    BadMeasure,
    find_promise,
    measured_subject,
    subject_of,
)
from services.alignment.domain.funnel import Stage
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.measures import Behind
from services.alignment.queries.populations import Population
from shared.agreement.cel.condition import Condition
from shared.agreement.store import Policies
from shared.http.parameters import PlainText

OF = (
    "Of `measure=attainment`: the id of a policy. Of `completeness`: names of traits, with blanks between them. Of "
    "`rejected_share`: a reason; empty: those without one. Of `win_rate`: the days of the cohort, by default 90d."
)


class BehindParameters(Parameters):
    """The figure whose leads are listed."""

    stage: Stage = Field(
        default=Stage.QUALIFIED, description="The count of the funnel whose leads these are."
    )
    measure: Measured | None = Field(
        default=None,
        description="Only the leads that this measure is computed from, such as `acceptance_rate`: those that sales "
        "answered.",
    )
    of: PlainText | None = Field(default=None, description=OF)
    promise: PlainText | None = Field(
        default=None,
        description="In place of `measure`: the leads that this promise is computed from, by the version of the "
        "agreement in force at the end of the period, or now.",
    )
    kept: bool | None = Field(
        default=None,
        description="With `measure` or `promise`: `true`: only the leads that count for it, such as those that were "
        "accepted; `false`: only the others.",
    )

    def behind(
        self, session: Session, policies: Policies[AlignmentPolicy], now: datetime
    ) -> Behind | None:
        """The leads behind a measure or a promise; None where neither is named. Raises BadMeasure or UnknownPromise."""
        figure = self._figure(session, policies, now)
        if figure is None:
            return None
        subject, where = figure
        groups, _ = groups_of(Reading(session, policies), Population(subject), where)
        return Behind(Population(subject, self.filters(session), groups), self.stage, self.kept)

    def _figure(
        self, session: Session, policies: Policies[AlignmentPolicy], now: datetime
    ) -> tuple[Subject, Condition | None] | None:
        """What the figure is about, and the condition on its leads."""
        first, last = self.dates(now)
        if self.measure is not None and self.promise is not None:
            raise BadMeasure("name a `measure` or a `promise`, but not both")
        if self.measure is not None:
            return measured_subject(self.measure, self.of, first, last, now), None
        if self.of is not None:
            raise BadMeasure("`of` says more of a `measure`: name one, or leave it out")
        if self.promise is not None:
            policy = policies.at(session, min(now, midnight(last + DAY)))
            promise = find_promise(policy, self.promise)
            return subject_of(promise, first, last, now), promise.where
        if self.kept is not None:
            raise BadMeasure("`kept` says which leads of a `measure` or a `promise`: name one")
        return None
