"""Where the demonstration plays: its reps from the file, and what it remembers for the next start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from services.demo.scene import Cast, Memory

ROOT = Path(__file__).parents[3]
REPS = (ROOT / "examples" / "reps.yaml").read_text()


def test_the_first_three_reps_answer_at_once_late_and_never() -> None:
    habits = [habit.name for habit in Cast.of(REPS, port=8010).habits.values()]

    assert habits[:3] == ["answers at once", "answers late", "never answers"]
    assert set(habits[3:]) == {"answers at once"}


def test_every_endpoint_of_the_file_is_played_on_the_port_that_was_free() -> None:
    cast = Cast.of(REPS, port=9999)

    assert "127.0.0.1:8010" not in cast.source
    assert cast.source.count("127.0.0.1:9999") == len(cast.endpoints)
    assert {"/ops", "/teams/inbound", "/reps/amira"} <= set(cast.endpoints)
    assert cast.endpoints["/reps/amira"] == "rep/amira"


def test_secrets_and_keys_find_their_endpoints() -> None:
    cast = Cast.of(REPS, port=8010)

    assert cast.secrets({"rep/amira": "whsec_x"}) == {"/reps/amira": "whsec_x"}
    assert cast.reps(dict.fromkeys(cast.habits, "lb_rep_x"))["amira"].key == "lb_rep_x"


@pytest.mark.parametrize("extra", ["", "ops: {url: 'http://127.0.0.1:8010/ops'}"])
def test_a_file_of_reps_alone_is_enough(extra: str) -> None:
    reps = "reps: [{id: ada, endpoint: {url: 'http://127.0.0.1:8010/reps/ada'}}]\n"
    bare_team = "teams: [{id: inbound}]\n"

    assert set(Cast.of(reps + bare_team + extra, port=1).endpoints) == {"/reps/ada"} | (
        {"/ops"} if extra else set()
    )


def test_what_is_shown_once_is_kept_where_only_its_owner_reads_it(tmp_path: Path) -> None:
    memory = Memory.at(tmp_path / "demo.json")
    memory.keys["ops"], memory.secrets["ops"], memory.runs = "lb_ops_x", "whsec_x", 2

    memory.keep()

    again = Memory.at(tmp_path / "demo.json")
    assert (again.keys, again.secrets, again.runs) == ({"ops": "lb_ops_x"}, {"ops": "whsec_x"}, 2)
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
