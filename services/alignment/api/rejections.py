"""Which groups of leads sales rejected, and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.alignment.api.groups import DEFAULT_GROUPS, GroupLimit
from services.alignment.api.outcomes import RejectionsOut
from services.alignment.api.parameters import KEY_ERRORS, Parameters
from services.alignment.domain.conditions import BadCondition
from services.alignment.domain.periods import BadPeriod
from services.alignment.domain.rejections import GroupRejections, rejection_report
from services.alignment.queries.rejections import rejections_by
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import GroupBy
from shared.http.csv_tables import CSV_RESPONSE, MAX_CSV_ROWS, csv_response, wants_csv
from shared.http.dependencies import Now, OpsOrRead, Tx
from shared.http.parameters import EmptyRange
from shared.http.problems import InvalidRequest, problems

RESPONSES = {
    **CSV_RESPONSE,
    **problems(*KEY_ERRORS, InvalidRequest, EmptyRange, BadPeriod, BadCondition),
}

router = APIRouter()


class RejectionParameters(Parameters):
    """Which handoffs are counted, and how they are grouped."""

    by: GroupBy = Field(
        default=GroupBy.CAMPAIGN, description="What each item of the report is about."
    )
    limit: GroupLimit = DEFAULT_GROUPS


class GroupRejectionsOut(BaseModel):
    """How many leads of a group sales rejected, and why."""

    group: str | None = Field(
        description="The campaign, source, channel, persona, tier, team or rep; null: those of which it is not known."
    )
    qualified: int = Field(description="Leads that qualified in the period.")
    rejected: int = Field(description="Of these, rejected, and accepted by no rep.")
    rejections: list[RejectionsOut] = Field(
        description="The rejected ones by the reason of the last rejection, the most frequent first."
    )

    @classmethod
    def of(cls, group: GroupRejections) -> GroupRejectionsOut:
        """The group as it is answered."""
        return cls(
            group=group.group,
            qualified=group.qualified,
            rejected=group.rejected,
            rejections=[RejectionsOut(reason=it.reason, count=it.handoffs) for it in group.reasons],
        )


class AlignmentRejectionsOut(BaseModel):
    """Which of the leads that qualified from `since` to `until`, both included, in UTC, sales rejected."""

    by: GroupBy
    since: date
    until: date
    total: GroupRejectionsOut = Field(
        description="All leads together, with those of groups that have no rejection; its `group` is null."
    )
    groups: int = Field(description="How many groups have rejections.")
    items: list[GroupRejectionsOut] = Field(
        description="The groups that have rejections, the one with most first, at most `limit`."
    )
    others: GroupRejectionsOut | None = Field(
        description="The other groups that have rejections together; null: all are in `items`."
    )
    others_groups: int = Field(description="How many groups these are.")


@router.get("/alignment/rejections", response_model=AlignmentRejectionsOut, responses=RESPONSES)
def alignment_rejections(
    request: Request,
    parameters: Annotated[RejectionParameters, Query()],
    session: Tx,
    now: Now,
    _: OpsOrRead,
) -> AlignmentRejectionsOut | Response:
    """Whose leads sales rejected, of those that qualified in a period, and why: by campaign or by another fact."""
    as_csv = wants_csv(request, parameters.format)
    limit = MAX_CSV_ROWS if as_csv else parameters.limit
    selection = parameters.selection(session, now)
    scope = Scope(*parameters.instants(now), selection)
    report = rejection_report(rejections_by(session, scope, parameters.by, limit=limit))
    first, last = parameters.dates(now)
    answer = AlignmentRejectionsOut(
        by=parameters.by,
        since=first,
        until=last,
        total=GroupRejectionsOut.of(report.total),
        groups=len(report.groups) + report.others_groups,
        items=[GroupRejectionsOut.of(it) for it in report.groups],
        others=None if report.others is None else GroupRejectionsOut.of(report.others),
        others_groups=report.others_groups,
    )
    return _csv(request, answer) if as_csv else answer


def _csv(request: Request, report: AlignmentRejectionsOut) -> Response:
    """The groups, and a last row with the sum of the others; `groups` says of how many groups each row is."""
    rows = [(it, 1) for it in report.items]
    if report.others is not None:
        rows.append((report.others, report.others_groups))
    same = {"since": report.since, "until": report.until}
    columns = [*same, *GroupRejectionsOut.model_fields, "groups"]
    cells = [{**same, **dict(it), "groups": number} for it, number in rows]
    return csv_response(request, "rejections", columns, cells)
