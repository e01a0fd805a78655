"""`leadbaton backup` and `leadbaton restore`: the same installation again, and a sentence for each mistake."""

from __future__ import annotations

import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from shared.embedded.dumps import DumpFailed, dump
from shared.embedded.postgres import PostgresServer
from tests.commands import leadbaton
from tests.conftest import ROOT
from tests.engine import PATIENCE_S
from tests.journey.world import event, until
from tests.services.cli.test_up import up

pytestmark = [pytest.mark.postgres, pytest.mark.journey]
ANN = "ann@example.com"


@dataclass(frozen=True)
class Saved:
    """An installation that was backed up while it ran, and is stopped now."""

    data: Path
    file: Path
    ops: str
    ingest: str

    @property
    def key(self) -> Path:
        return self.data / "secret_key"


def key(data: Path, scope: str) -> str:
    made = leadbaton("--data", str(data), "keys", "create", "--scope", scope, "--subject", "me")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def send(url: str, write_key: str, *events: dict[str, Any]) -> None:
    answer = httpx.post(
        f"{url}/v1/events",
        json={"events": [*events]},
        headers={"x-write-key": write_key},
        timeout=PATIENCE_S,
    )
    assert answer.status_code == 200, answer.text


def events_of(url: str, ops: str, email: str) -> list[dict[str, Any]]:
    """What is known of the person; nothing while there is no such lead."""
    headers = {"x-write-key": ops}
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_S) as client:
        lead = client.get("/v1/leads", params={"email": email})
        if lead.status_code != 200:
            return []
        return [*client.get(f"/v1/leads/{lead.json()['id']}/events").json()["items"]]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    directory = tmp_path_factory.mktemp("saved")
    data, file = directory / "data", directory / "leadbaton.backup"
    agreement = ("--agreement", str(ROOT / "examples" / "agreement.yaml"))
    with up(data, *agreement, "--reps", str(ROOT / "examples" / "reps.yaml")) as (_, urls):
        saved = Saved(data, file, key(data, "ops"), key(data, "ingest"))
        send(urls["scoring"], saved.ingest, event(ANN, "page_viewed", "first"))
        until(lambda: events_of(urls["scoring"], saved.ops, ANN))
        made = leadbaton("--data", str(data), "backup", str(file))
        assert made.returncode == 0, made.stderr
        assert f"keep {saved.key} too" in made.stdout
        used = leadbaton("restore", str(file), "--data", str(data), "--secret-key", str(saved.key))
        assert (used.returncode, "is in use" in used.stderr) == (1, True), used.stderr
    return saved


def restore(saved: Saved, data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return leadbaton("restore", str(saved.file), "--data", str(data), *more)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_a_backup_becomes_the_same_installation_elsewhere(saved: Saved, tmp_path: Path) -> None:
    data = tmp_path / "again"
    done = restore(saved, data, "--secret-key", str(saved.key))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(saved.file.stat().st_mode) == 0o600

    with up(data) as (_, urls):
        doctor = leadbaton("--data", str(data), "doctor")
        assert doctor.returncode == 0, doctor.stdout
        assert len(events_of(urls["scoring"], saved.ops, ANN)) == 1
        send(
            urls["scoring"],
            saved.ingest,
            event(ANN, "page_viewed", "first"),  # sent again, as senders should
            event(ANN, "page_viewed", "after"),
        )
        until(lambda: len(events_of(urls["scoring"], saved.ops, ANN)) == 2)


def test_a_directory_with_an_installation_is_not_touched(saved: Saved) -> None:
    before = sorted(saved.data.rglob("*"))

    message = one_sentence(restore(saved, saved.data, "--secret-key", str(saved.key)))

    assert "is not empty, and a restore overwrites nothing" in message
    assert sorted(saved.data.rglob("*")) == before


def test_another_key_is_refused_and_nothing_is_left(saved: Saved, tmp_path: Path) -> None:
    other_key = tmp_path / "other_key"
    other_key.write_bytes(Fernet.generate_key())
    data = tmp_path / "data"
    demonstration = data / "demo" / "kept"
    demonstration.parent.mkdir(parents=True)
    demonstration.touch()

    message = one_sentence(restore(saved, data, "--secret-key", str(other_key)))

    assert "were encrypted with another key: name the secret key of that time" in message
    assert {it.name for it in data.iterdir()} == {"demo", "lock"}
    assert demonstration.exists()


def test_a_lost_key_is_replaced_and_the_way_on_is_named(saved: Saved, tmp_path: Path) -> None:
    done = restore(saved, tmp_path / "data", "--lost-key")

    assert done.returncode == 0, done.stderr
    assert "leadbaton endpoints rotate --all" in done.stdout
    assert (tmp_path / "data" / "secret_key").read_text() != saved.key.read_text()


def test_a_backup_that_was_cut_short_leaves_nothing(saved: Saved, tmp_path: Path) -> None:
    short = tmp_path / "short"
    content = saved.file.read_bytes()
    short.write_bytes(content[: len(content) // 3])

    done = leadbaton(
        *("restore", str(short), "--data", str(tmp_path / "data")),
        *("--secret-key", str(saved.key)),
    )

    assert one_sentence(done).startswith("leadbaton: pg_restore failed, and nothing was kept: ")
    assert [it.name for it in (tmp_path / "data").iterdir()] == ["lock"]


def test_a_restore_that_was_killed_is_no_installation(saved: Saved, tmp_path: Path) -> None:
    (tmp_path / "restoring").touch()

    for done in (
        leadbaton("up", "--data", str(tmp_path)),
        restore(saved, tmp_path, "--secret-key", str(saved.key)),
    ):
        message = one_sentence(done)
        assert "interrupted" in message or "is not empty" in message


def test_keys_and_files_of_another_kind_are_named(saved: Saved, tmp_path: Path) -> None:
    data, text_file = tmp_path / "data", tmp_path / "text"
    text_file.write_text("some text")
    neither = one_sentence(restore(saved, data))
    both_options = ("--lost-key", "--secret-key", str(saved.key))
    assert neither == one_sentence(restore(saved, data, *both_options))
    assert "give --lost-key instead" in neither
    assert "is no secret key" in one_sentence(restore(saved, data, "--secret-key", str(text_file)))
    message = one_sentence(leadbaton("restore", str(text_file), "--data", str(data), "--lost-key"))
    assert "is no backup: name a file that `leadbaton backup`" in message
    missing = leadbaton("restore", str(tmp_path / "missing"), "--data", str(data), "--lost-key")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert not data.exists()


def test_a_backup_says_where_it_cannot_be_written(
    saved: Saved, postgres: PostgresServer, tmp_path: Path
) -> None:
    nowhere = leadbaton("--data", str(saved.data), "backup", str(tmp_path / "x"))
    assert "the database does not answer" in one_sentence(nowhere)
    url = postgres.url("postgres")
    with pytest.raises(DumpFailed, match="exists already, and no backup is overwritten"):
        dump(url, saved.file)
    with pytest.raises(DumpFailed, match="cannot be written"):
        dump(url, tmp_path / "no" / "folder")
    with pytest.raises(DumpFailed, match=r"pg_dump failed, and nothing was kept: .*no_such"):
        dump(postgres.url("no_such"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_none_of_ours_is_not_restored(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    dump(postgres.url("postgres"), tmp_path / "foreign")

    done = leadbaton(
        *("restore", str(tmp_path / "foreign"), "--data", str(tmp_path / "data")), "--lost-key"
    )

    assert one_sentence(done).endswith("holds a database, but none of Leadbaton: name another file")
