"""The agreement's versions as scoring reads them, each indexed once."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.scoring.domain.rules import Rules
from shared.agreement.store import Agreements, Published


class Rulebook:
    """Rules by version; a version never changes."""

    def __init__(self) -> None:
        self._agreements = Agreements()
        self._rules: dict[int, Rules] = {}

    def current(self, session: Session) -> Rules:
        """Of the newest version; raises NoAgreement."""
        return self._indexed(self._agreements.current(session))

    def version(self, session: Session, number: int) -> Rules:
        """Of that version."""
        return self._indexed(self._agreements.version(session, number))

    def _indexed(self, published: Published) -> Rules:
        if published.version not in self._rules:
            self._rules[published.version] = Rules(published.version, published.agreement)
        return self._rules[published.version]
