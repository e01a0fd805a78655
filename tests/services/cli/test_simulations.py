"""Tests of `leadbaton agreement simulate`."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from services.cli.agreement import app
from shared.agreement.load import InvalidAgreement
from shared.clock import utc_now
from shared.contracts.payloads import LeadContext
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, lead_qualified
from tests.services.routing.api.test_simulations import BY_COUNTRY
from tests.services.routing.builders import build_assigner, entry, importing, qualifying
from tests.services.routing.client import ADA

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database_environment")]


@pytest.fixture
def draft(sessions: Sessions, tmp_path: Path) -> Path:
    """A draft whose first rule is for Finns; Ada is with Grace."""
    now = utc_now()
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"), now=now)
        qualifying(session, assigner, lead_qualified(lead="ada", at=now), now=now)
    file = tmp_path / "draft.yaml"
    file.write_bytes(orjson.dumps({**DEFAULT_SECTIONS, "routing": BY_COUNTRY}))
    return file


def test_many_leads_are_summed_up_and_one_is_explained(draft: Path) -> None:
    many = CliRunner().invoke(app, ["simulate", str(draft)])
    of_ada = CliRunner().invoke(app, ["simulate", str(draft), "--handoff", str(ADA)])
    as_json = CliRunner().invoke(app, ["simulate", str(draft), "--json"])

    assert many.exit_code == of_ada.exit_code == as_json.exit_code == 0, many.output + of_ada.output
    assert "1 lead, of which 0 would go to another team" in many.output
    assert "The draft would choose" in of_ada.output
    assert "grace" in of_ada.output
    assert json.loads(as_json.output)["leads"] == 1


def test_leads_that_would_go_to_another_team_are_named(sessions: Sessions, draft: Path) -> None:
    finn = LeadContext(traits={"country": "FI"})
    lead = lead_qualified(lead="bob", at=utc_now(), traits={"country": "FI"}, context=finn)
    with sessions.begin() as session:
        qualifying(session, build_assigner(session), lead, now=utc_now())

    simulated = CliRunner().invoke(app, ["simulate", str(draft)])

    assert "2 leads, of which 1 would go to another team" in simulated.output
    assert "sales to north, by finns" in simulated.output


def test_a_draft_with_a_fault_is_refused(draft: Path) -> None:
    draft.write_text("leadbaton: 1\n")
    refused = CliRunner().invoke(app, ["simulate", str(draft)])
    assert isinstance(refused.exception, InvalidAgreement)
