"""What routing's handlers need besides the session: the policies, the records they decide from, the public URL."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.routing.domain.policy import RoutingPolicy
from services.routing.queries.allocations import Allocations
from services.routing.queries.reps import Rosters
from shared.agreement.store import Agreements


class Policies:
    """The agreement's versions, each turned once into a policy."""

    def __init__(self) -> None:
        self._agreements = Agreements()
        self._policies: dict[int, RoutingPolicy] = {}

    def current(self, session: Session) -> RoutingPolicy:
        """The policy of the newest version, or NoAgreement."""
        return self.version(session, self._agreements.current(session).version)

    def version(self, session: Session, number: int) -> RoutingPolicy:
        """The policy of that version, or UnknownVersion."""
        if number not in self._policies:
            published = self._agreements.version(session, number)
            self._policies[number] = RoutingPolicy(number, published.agreement)
        return self._policies[number]


class Assigner:
    """Holds the policies and the caches of rosters and allocations; `public_url` leads to our API."""

    def __init__(self, public_url: str) -> None:
        self.policies, self.public_url = Policies(), public_url
        self.rosters = Rosters()
        self.allocation_records = Allocations(self.rosters)
