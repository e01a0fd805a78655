"""The commands of docs/operations.md that back up and restore the database of docker-compose.yml, on a real server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, make_url, text

from shared.db.migrate import upgrade
from shared.db.session import engine_for
from shared.embedded.postgres import PostgresServer, binaries, free_port
from tests.conftest import FAST
from tests.deploy.compose import ROOT, made_secrets
from tests.deploy.roles import make_roles

pytestmark = pytest.mark.postgres

DOCKER = """
set -euo pipefail
docker() {
    if [[ "$*" == "compose exec -T postgres "* ]]; then shift 4; "$@"; fi
}
"""
"""What is to run in PostgreSQL's container runs here; what is to run in others does not."""


@dataclass(frozen=True)
class Containers:
    """PostgreSQL as docker-compose.yml has it, with its roles, migrated by its owner."""

    server: PostgresServer
    secrets: Path
    folder: Path

    def url(self, role: str, database: str = "leadbaton") -> URL:
        password = (self.secrets / role.replace("leadbaton", "postgres")).read_text()
        return make_url(self.server.url(database)).set(username=role, password=password)

    def engine(self, role: str, database: str = "leadbaton") -> Engine:
        return engine_for(self.url(role, database).render_as_string(hide_password=False))

    def ask(self, role: str, statement: str, database: str = "leadbaton") -> object:
        engine = self.engine(role, database)
        with engine.begin() as connection:
            answer = connection.execute(text(statement))
            value = answer.scalar() if answer.returns_rows else None
        engine.dispose()
        return value

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        """The commands as an operator gives them, in the folder with docker-compose.yml."""
        return subprocess.run(
            [
                "bash",
                "-c",
                DOCKER + commands.replace("/docker-entrypoint-initdb.d", f"{ROOT}/deploy/postgres"),
            ],
            env={
                "PATH": f"{binaries()}:/usr/bin:/bin",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.server.port),
                "PGPASSWORD": (self.server.directory / "password").read_text(),
                "SECRETS_DIRECTORY": str(self.secrets),
            },
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    directory = tmp_path_factory.mktemp("containers")
    containers = Containers(
        PostgresServer(directory / "postgres", free_port(), FAST),
        made_secrets(directory),
        directory,
    )
    containers.server.start()
    make_roles(containers.server, containers.secrets)
    owner = containers.engine("leadbaton_owner")
    upgrade(owner)
    owner.dispose()
    containers.ask("leadbaton_ops", INSERT.format("before"))
    yield containers
    containers.server.stop("immediate")


INSERT = (
    "insert into messaging.api_keys (id, secret_hash, scope, subject) "
    "values ('{0}', '', 'ops', '{0}')"
)
KEYS = "select string_agg(id, ',' order by id) from messaging.api_keys"


def commands(program: str) -> str:
    """The block of the chapter that uses the program."""
    chapter = (ROOT / "docs" / "operations.md").read_text().partition("## Backup and restore")[2]
    blocks = re.finditer(r"```sh\n(.*?)```", chapter, re.DOTALL)
    return next(it.group(1) for it in blocks if f" {program} " in it.group(1))


def test_what_was_backed_up_is_there_again_with_the_rights_of_every_role(
    containers: Containers,
) -> None:
    assert containers.run(commands("pg_dump")).returncode == 0
    containers.ask("leadbaton_ops", INSERT.format("since"))

    done = containers.run(commands("pg_restore"))

    assert done.returncode == 0, done.stderr
    owner = containers.engine("leadbaton_owner")
    assert upgrade(owner) == []  # the command `migrate` of the block, which also grants
    owner.dispose()
    assert containers.ask("leadbaton_ops", KEYS) == "before"
    assert containers.ask("leadbaton_scoring", "select count(*) from scoring.events") == 0
    foreign = (
        "select string_agg(tablename, ',') from pg_tables "
        "where schemaname in ('public', 'messaging', 'scoring', 'routing', 'sla') and tableowner <> 'leadbaton_owner'"
    )
    assert containers.ask("leadbaton_owner", foreign) is None
    assert containers.ask("leadbaton_owner", KEYS, "before_restore") == "before,since"


def test_a_backup_that_was_cut_short_changes_nothing(containers: Containers) -> None:
    assert containers.run(commands("pg_dump")).returncode == 0
    file = containers.folder / "leadbaton.backup"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 3])

    assert containers.run(commands("pg_restore")).returncode != 0

    assert containers.ask("leadbaton_ops", KEYS) == "before"


def test_a_process_that_was_not_stopped_keeps_the_database(containers: Containers) -> None:
    assert containers.run(commands("pg_dump")).returncode == 0
    engine = containers.engine("leadbaton_scoring")
    with engine.connect() as connection:
        connection.execute(text("select 1"))

        done = containers.run(commands("pg_restore"))

    assert done.returncode != 0
    assert "is being accessed by other users" in done.stderr
    engine.dispose()
    assert containers.ask("leadbaton_ops", KEYS) == "before"
