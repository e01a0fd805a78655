"""The roles of docker-compose.yml on a server of the tests, made by the script that its container runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shared.embedded.postgres import PostgresServer, binaries
from tests.deploy.compose import ROOT


def make_roles(server: PostgresServer, secrets: Path) -> None:
    """Run deploy/postgres/roles.sh on the server."""
    subprocess.run(
        ["bash", ROOT / "deploy" / "postgres" / "roles.sh"],
        env={
            "PATH": f"{binaries()}:/usr/bin:/bin",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.port),
            "PGPASSWORD": (server.directory / "password").read_text(),
            "SECRETS_DIRECTORY": str(secrets),
        },
        check=True,
    )
