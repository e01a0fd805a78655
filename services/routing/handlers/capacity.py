"""What teams can take: announced when reps, time off or calendars have changed, and once a day."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from services.routing import announcements
from services.routing.domain.capacity import new_plans
from services.routing.domain.policy import RoutingPolicy
from services.routing.queries import capacity
from services.routing.queries.rosters import Rosters
from shared.agreement.store import Policies
from shared.messaging import outbox


class CapacityPlanner:
    """Announces plans. It computes none while the roster, the agreement and the date are as they were.

    Rosters and versions of the agreement never change, so they and the date are all that plans follow from.
    """

    def __init__(self, policies: Policies[RoutingPolicy], rosters: Rosters) -> None:
        self._policies, self._rosters = policies, rosters
        self._announced: capacity.CapacityBasis | None = None

    def announce(self, session: Session, now: datetime) -> bool:
        """Announce the plan of each team whose numbers are not those of the last announcement; whether there is one.

        What was announced is noted when the next call finds nothing to announce, and thus was committed.
        """
        today = now.astimezone(UTC).date()
        basis = capacity.find_basis(session, today)
        if basis is None or basis == self._announced:
            return False
        capacity.lock_plans(session)
        basis = capacity.find_basis(session, today) or basis  # what was announced meanwhile is read
        policy = self._policies.version(session, basis.agreement_version)
        roster = self._rosters.roster(session, basis.roster_id)
        before = capacity.plans_by_team(session)

        plans = new_plans(before, roster, policy, basis.first)

        if not plans:
            self._announced = basis
            return False
        capacity.save_plans(session, plans)
        outbox.append(session, announcements.capacity_planned(plans, policy.version, now=now))
        return True
