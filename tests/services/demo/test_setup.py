"""Where the demonstration plays: its reps from the file, and what it remembers for the next start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from services.demo.setup import DemoReps, DemoState

ROOT = Path(__file__).parents[3]
REPS = (ROOT / "examples" / "reps.yaml").read_text()


def test_the_first_three_reps_answer_at_once_late_and_never() -> None:
    habits = [habit.name for habit in DemoReps.of(REPS, port=8010).habits.values()]

    assert habits[:3] == ["answers at once", "answers late", "never answers"]
    assert set(habits[3:]) == {"answers at once"}


def test_every_endpoint_of_the_file_is_played_on_the_port_that_was_free() -> None:
    demo_reps = DemoReps.of(REPS, port=9999)

    assert "127.0.0.1:8010" not in demo_reps.source
    assert demo_reps.source.count("127.0.0.1:9999") == len(demo_reps.endpoints)
    assert {"/ops", "/teams/inbound", "/reps/amira"} <= set(demo_reps.endpoints)
    assert demo_reps.endpoints["/reps/amira"] == "rep/amira"


def test_secrets_and_keys_find_their_endpoints() -> None:
    demo_reps = DemoReps.of(REPS, port=8010)

    assert demo_reps.secrets({"rep/amira": "whsec_x"}) == {"/reps/amira": "whsec_x"}
    assert demo_reps.reps(dict.fromkeys(demo_reps.habits, "lb_rep_x"))["amira"].key == "lb_rep_x"


@pytest.mark.parametrize("extra", ["", "ops: {url: 'http://127.0.0.1:8010/ops'}"])
def test_a_file_of_reps_alone_is_enough(extra: str) -> None:
    reps = "reps: [{id: ada, endpoint: {url: 'http://127.0.0.1:8010/reps/ada'}}]\n"
    bare_team = "teams: [{id: inbound}]\n"

    assert set(DemoReps.of(reps + bare_team + extra, port=1).endpoints) == {"/reps/ada"} | (
        {"/ops"} if extra else set()
    )


def test_keys_and_secrets_are_kept_readable_by_the_owner_only(tmp_path: Path) -> None:
    state = DemoState.at(tmp_path / "demo.json")
    state.keys["ops"], state.secrets["ops"], state.runs = "lb_ops_x", "whsec_x", 2

    state.keep()

    again = DemoState.at(tmp_path / "demo.json")
    assert (again.keys, again.secrets, again.runs) == ({"ops": "lb_ops_x"}, {"ops": "whsec_x"}, 2)
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
