"""Teams that get leads and have no rep, of which `agreement publish` and `leadbaton doctor` warn."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.routing.queries.reps import reps_by_id
from shared.agreement.model import Agreement
from shared.agreement.store import Agreements, NoAgreement
from shared.process.findings import Finding, fine, wrong

REMEDY = (
    "add reps of these teams to the file and run leadbaton reps import FILE, or send no leads there"
)


def teams_without_reps(session: Session, agreement: Agreement) -> list[str]:
    """The teams that a rule sends leads to and that no active rep is in; none before the first import of reps."""
    reps = reps_by_id(session)
    if not reps:
        return []
    staffed = {it.team for it in reps if it.active}
    used = dict.fromkeys(rule.team for rule in agreement.routing.rules)
    return [team for team in used if team not in staffed]


def teams(session: Session) -> Finding:
    """Whether every team that gets leads has a rep; another check finds that there are no reps at all."""
    try:
        agreement = Agreements().current(session).agreement
    except NoAgreement:
        return Finding("teams", ok=None, detail="no agreement names any")
    without = teams_without_reps(session, agreement)
    if without:
        return wrong("teams", f"leads wait in {', '.join(without)}: no active rep is there", REMEDY)
    return fine("teams", "each that leads go to has a rep, or there are no reps yet")
