"""What routing's handlers need besides the session: the policies, the records they decide from, the public URL."""

from __future__ import annotations

from services.routing.domain.policy import RoutingPolicy
from services.routing.queries.allocations import Allocations
from services.routing.queries.reps import Rosters
from shared.agreement.store import Policies


class Assigner:
    """Holds the policies and the caches of rosters and allocations; `public_url` leads to our API."""

    def __init__(self, public_url: str) -> None:
        self.policies, self.public_url = Policies(RoutingPolicy), public_url
        self.rosters = Rosters()
        self.allocation_records = Allocations(self.rosters)
