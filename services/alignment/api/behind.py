"""Which leads a list has: those behind a measure or a promise, or those of a stage of the funnel."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from services.alignment.api.figures import groups_of
from services.alignment.api.narrowing import Narrowing
from services.alignment.api.parameters import Parameters
from services.alignment.api.reading import Reading
from services.alignment.api.subjects import (
    BadMeasure,
    find_promise,
    measured_subject,
    subject_of,
)
from services.alignment.domain.funnel import Stage
from services.alignment.domain.known import FirstStage
from services.alignment.domain.measures import Measured, Subject
from services.alignment.domain.policy import AlignmentPolicy
from services.alignment.domain.promised_dates import DAY, midnight
from services.alignment.queries.leads import Listed, PromiseOutcome
from services.alignment.queries.measures import Behind
from services.alignment.queries.populations import Population
from services.alignment.queries.selection import CountedBy
from shared.agreement.cel.condition import Condition
from shared.agreement.store import Policies
from shared.db.time_range import ALWAYS
from shared.http.pages import After, Cursor, Limit
from shared.http.parameters import Count, PlainText

OF = (
    "Of `measure=attainment`: the id of a policy. Of `completeness`: names of traits, with blanks between them. Of "
    "`rejected_share`: a reason; empty: those without one. Of `win_rate`: the days of the cohort, by default 90d."
)


class BehindParameters(Parameters):
    """The figure whose leads are listed."""

    stage: FirstStage | Stage = Field(
        default=Stage.QUALIFIED,
        description="The count of the funnel whose leads these are. `known` and `engaged` are leads that became so in "
        "the period.",
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
    counted_by: CountedBy = Field(
        default=CountedBy.QUALIFIED,
        description="Without `measure` and `promise`: the leads that qualified in the period, as the funnel counts "
        "them; `happened`: those that came to the stage in it, as `/v1/campaigns` counts them.",
    )
    promises: PromiseOutcome | None = Field(
        default=None,
        description="Without `measure` and `promise`: only the leads about which promises of sales were `met`, were "
        "`broken`, or either (`any`): those of the funnel's `attainment`.",
    )

    def behind(
        self, session: Session, policies: Policies[AlignmentPolicy], now: datetime
    ) -> Behind | None:
        """The leads behind a measure or a promise; None where neither is named. Raises BadMeasure or UnknownPromise."""
        figure = self._figure(session, policies, now)
        if figure is None:
            return None
        if self.promises is not None or self.counted_by is not CountedBy.QUALIFIED:
            raise BadMeasure(
                "`counted_by` and `promises` are about a `stage`: leave out `measure` and `promise`"
            )
        if isinstance(self.stage, FirstStage):
            raise BadMeasure(
                f"a measure or a promise is about leads that qualified: leave out `stage={self.stage}`"
            )
        subject, where = figure
        if subject.measure is Measured.CAPACITY:
            raise BadMeasure(
                "no lead is behind what the roster can take: GET /v1/alignment/capacity has the days of teams"
            )
        reading = Reading(session, policies)
        filters = Narrowing(reading, self).filters(subject)
        groups, _ = groups_of(reading, Population(subject), where)
        return Behind(Population(subject, filters, groups), self.stage, self.kept)

    def listed(self, session: Session, stage: Stage, now: datetime) -> Listed:
        """The leads of a stage; raises BadPeriod, EmptyRange or BadCondition."""
        times = self.times(now)
        is_by_qualification = self.counted_by is CountedBy.QUALIFIED
        selection = self._within(session, times if is_by_qualification else ALWAYS)
        return Listed(replace(selection, times=times), stage, self.counted_by, self.promises)

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


class LeadParameters(BehindParameters):
    """Which leads the list has, and which page of it is answered."""

    limit: Limit = 100
    after: After = None

    cursor: ClassVar = Cursor("alignment", tuple[AwareDatetime, UUID, Count])
