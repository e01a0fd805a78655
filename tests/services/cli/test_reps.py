"""`leadbaton reps`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.reps import app
from services.routing.domain.roster import NoSuchRep
from services.routing.queries.handoffs import held_by
from services.routing.roster_file import RosterFile
from services.routing.roster_reference import reference
from shared.db.session import Sessions
from shared.documents.schema import json_schema
from tests.builders import lead_qualified
from tests.services.routing.builders import build_assigner, entry, importing, publishing, qualifying

pytestmark = pytest.mark.postgres

EXAMPLE = Path(__file__).parents[3] / "examples" / "reps.yaml"
KEY = "bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE="


@pytest.fixture
def installed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of an installation on a fresh database that may call loopback."""
    monkeypatch.setenv("LEADBATON_DATABASE_URL", database_url)
    monkeypatch.setenv("LEADBATON_SECRET_KEY", KEY)
    monkeypatch.setenv("LEADBATON_ALLOW_NETWORKS", "127.0.0.0/8")


@pytest.mark.usefixtures("installed")
def test_the_example_is_imported_and_secrets_are_shown_once() -> None:
    first = CliRunner().invoke(app, ["import", str(EXAMPLE)])
    second = CliRunner().invoke(app, ["import", str(EXAMPLE)])
    listed = CliRunner().invoke(app, ["list"])

    assert {"rep/amira", "team/inbound", "ops"} <= json.loads(first.stdout).keys()
    assert json.loads(first.stdout)["ops"].startswith("whsec_")
    assert json.loads(second.stdout) == {}
    assert "amira" in listed.stdout


@pytest.mark.usefixtures("installed")
def test_who_left_is_named(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["import", str(EXAMPLE)])
    alone = tmp_path / "reps.yaml"
    alone.write_text(
        "reps:\n- {id: amira, name: A, email: a@x.io, team: inbound,"
        " endpoint: {url: 'http://127.0.0.1:8010'}, capacity: {open: 4}}"
    )

    result = CliRunner().invoke(app, ["import", str(alone)])
    listed = CliRunner().invoke(app, ["list"])

    assert "jonas" in result.stderr
    assert "0 of 4" in listed.stdout
    assert "inactive" in listed.stdout


@pytest.mark.usefixtures("installed")
def test_what_a_rep_who_left_holds_goes_to_others_when_asked(
    tmp_path: Path, sessions: Sessions
) -> None:
    file = tmp_path / "reps.yaml"
    linus = (
        "{id: linus, name: L, email: l@x.io, team: sales, endpoint: {url: 'http://127.0.0.1:8010'}}"
    )
    file.write_text(f"reps:\n- {linus.replace('linus', 'grace')}")
    with sessions.begin() as session:
        assigner = build_assigner(session)
    CliRunner().invoke(app, ["import", str(file)])
    with sessions.begin() as session:
        qualifying(session, assigner, lead_qualified(lead="a"))
    file.write_text(f"reps:\n- {linus}")

    warned = CliRunner().invoke(app, ["import", str(file)])
    rerouted = CliRunner().invoke(app, ["import", str(file), "--reroute"])
    idle = CliRunner().invoke(app, ["import", str(file), "--reroute"])

    assert "grace is inactive and still holds 1 handoff" in warned.stderr
    assert "--reroute" in warned.stderr
    assert "webhooks to inactive reps cancelled: 1" in warned.stderr
    assert "grace: 1 handoff given to others" in rerouted.stderr
    assert "grace" not in idle.stderr
    with sessions() as session:
        assert held_by(session, ["grace", "linus"]) == {"linus": 1}


@pytest.mark.usefixtures("installed")
def test_a_file_that_does_not_fit_the_agreement_changes_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        publishing(session)

    result = CliRunner().invoke(app, ["import", str(EXAMPLE)])

    assert result.exit_code == 1
    assert "the agreement has no team 'inbound'; write one of sales" in str(result.exception)


@pytest.mark.usefixtures("installed")
def test_private_networks_must_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADBATON_ALLOW_NETWORKS", "")

    result = CliRunner().invoke(app, ["import", str(EXAMPLE)])

    assert "LEADBATON_ALLOW_NETWORKS" in str(result.exception)


@pytest.mark.usefixtures("installed")
def test_a_file_is_checked_against_the_installation(sessions: Sessions) -> None:
    good = CliRunner().invoke(app, ["check", str(EXAMPLE)])
    with sessions.begin() as session:
        publishing(session)
    wrong = CliRunner().invoke(app, ["check", str(EXAMPLE)])

    assert good.stdout.endswith("teams and calendars were not checked, for there is no agreement\n")
    assert wrong.exit_code == 1
    assert f"{EXAMPLE}:" in wrong.stderr
    assert "the agreement has no team 'inbound'" in wrong.stderr
    assert CliRunner().invoke(app, ["list"]).stdout.count("amira") == 0


def test_a_file_is_checked_without_an_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEADBATON_DATABASE_URL", raising=False)
    agreement = EXAMPLE.with_name("agreement.yaml")
    result = CliRunner().invoke(app, ["check", str(EXAMPLE), "--agreement", str(agreement)])
    assert (result.exit_code, result.stdout) == (0, f"{EXAMPLE} is sound: 5 reps, 2 teams\n")


def test_the_reference_and_the_schema_are_printed() -> None:
    assert CliRunner().invoke(app, ["reference"]).stdout == reference()
    schema = CliRunner().invoke(app, ["schema"]).stdout
    assert json.loads(schema) == json_schema(RosterFile)


@pytest.mark.usefixtures("installed")
def test_a_rep_is_sent_away_and_comes_back() -> None:
    CliRunner().invoke(app, ["import", str(EXAMPLE)])

    away = CliRunner().invoke(app, ["away", "amira", "--by", "olga"])
    imported = CliRunner().invoke(app, ["import", str(EXAMPLE)])
    back = CliRunner().invoke(app, ["back", "amira"])

    assert away.stdout.startswith("amira gets no leads from ")
    assert away.stdout.endswith("until they are back\n")
    assert "amira stays away until they are back" in imported.stderr
    assert back.stdout == "amira is back\n"


@pytest.mark.usefixtures("installed")
def test_an_absence_has_an_end_and_time_off_of_the_file_outlasts_it(tmp_path: Path) -> None:
    file = tmp_path / "reps.yaml"
    file.write_text(
        "reps:\n- {id: grace, name: G, email: g@x.io, team: sales,"
        " endpoint: {url: 'http://127.0.0.1:8010'}, time_off: [{from: 2020-01-01, to: 2099-01-01}]}"
    )
    CliRunner().invoke(app, ["import", str(file)])

    away = CliRunner().invoke(app, ["away", "grace", "--until", "2098-01-01"])
    wrong = CliRunner().invoke(app, ["away", "grace", "--until", "2020-01-01"])
    back = CliRunner().invoke(app, ["back", "grace"])

    assert away.stdout.endswith("until 2098-01-01 00:00 UTC\n")
    assert (wrong.exit_code, "--until must be later" in wrong.stderr) == (2, True)
    assert back.stdout == "grace is on time off by the file until 2099-01-01 00:00 UTC\n"


@pytest.mark.usefixtures("installed")
def test_a_rep_is_deactivated_and_what_is_held_is_named(sessions: Sessions) -> None:
    with sessions.begin() as session:
        assigner = build_assigner(session)
        importing(session, entry("grace"))
        qualifying(session, assigner, lead_qualified(lead="ada"))

    done = CliRunner().invoke(app, ["deactivate", "grace"])
    unknown = CliRunner().invoke(app, ["deactivate", "nobody"])

    assert done.stdout.startswith("grace is inactive; webhooks cancelled: 1\n")
    assert "leadbaton handoffs reroute grace" in done.stdout
    assert isinstance(unknown.exception, NoSuchRep)
