"""The clients of docs/connect.md, each with the code of its section, against a running installation.

Those in Node run where their packages are: `npm install --prefix .cache/node` with the names and versions of the page.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.processes import SCORING_API
from shared.embedded.broker import Broker
from tests.conftest import ROOT
from tests.journey.world import World, until

pytestmark = [
    pytest.mark.journey,
    pytest.mark.postgres,
    pytest.mark.parametrize("lasting", [Broker], indirect=True),
]

PAGE = (ROOT / "docs" / "connect.md").read_text()
NODE_PACKAGES = ROOT / ".cache" / "node" / "node_modules"
CLIENTS = [
    "segment-analytics-python",
    "@segment/analytics-node",
    "rudder-sdk-python",
    "@rudderstack/rudder-sdk-node",
]
PROGRAMS = {"python": (sys.executable, "client.py"), "javascript": ("node", "client.mjs")}


def code_of(client: str) -> tuple[str, str]:
    """The language and the code of the client's section."""
    section = PAGE.partition(f"\n## {client}\n")[2].partition("\n## ")[0]
    [(language, code)] = re.findall(
        r"^```(python|javascript)\n(.*?)^```", section, re.MULTILINE | re.DOTALL
    )
    return language, code


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_works_as_the_page_shows_it(running: World, tmp_path: Path, client: str) -> None:
    language, code = code_of(client)
    if language == "javascript":
        if shutil.which("node") is None or not (NODE_PACKAGES / client).exists():
            pytest.skip(f"{client} is not installed in .cache/node")
        (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
    email = running.fresh("connect")
    for example, value in {
        "http://127.0.0.1:8001": running.installation.url(SCORING_API),
        "lb_ingest_…": running.keys["site"],
        "ines@tidewater-analytics.com": email,
        "a-17": f"browser-of-{email}",
    }.items():
        assert example in code
        code = code.replace(example, value)
    program, name = PROGRAMS[language]
    (tmp_path / name).write_text(code)

    completed = subprocess.run(
        [program, name], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert completed.returncode == 0, completed.stderr
    lead = until(lambda: running.lead(email), why=f"{client}: {completed.stderr}")
    events = f"/v1/leads/{lead['id']}/events"
    until(lambda: len(running.get(SCORING_API, events)["items"]) == 2, why="both events")
    by_type = {it["type"]: it for it in running.get(SCORING_API, events)["items"]}
    assert set(by_type) == {"identified", "demo_requested"}
    assert by_type["demo_requested"]["properties"]["page"] == "/pricing"
    lead = running.get(SCORING_API, f"/v1/leads/{lead['id']}")
    assert {f"email/{email}", f"anonymous/site/browser-of-{email}"} <= set(lead["identities"])
    assert lead["traits"]["company"] == "Tidewater Analytics"
    assert lead["traits"]["employees"] == 240
