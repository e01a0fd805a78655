"""Runs the receivers of docs/webhooks.md and sends them signed and unsigned webhooks."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from services.routing.api.webhook_examples import example_bodies
from services.routing.domain.signing import encode_public_key, encode_secret, signed_headers
from shared.clock import utc_now
from shared.embedded.postgres import free_port
from tests.conftest import ROOT
from tests.engine import PATIENCE_S, until

SECRET = bytes(range(32))
PROGRAMS = {"python": (sys.executable, "receiver.py"), "javascript": ("node", "receiver.mjs")}


def listens(url: str) -> bool:
    try:
        httpx.post(url, content=b"{}", timeout=PATIENCE_S)
    except httpx.TransportError:
        return False
    return True


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_receiver_takes_each_signed_webhook_once(language: str, tmp_path: Path) -> None:
    program, name = PROGRAMS[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    page = (ROOT / "docs" / "webhooks.md").read_text()
    [code] = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 22
    (tmp_path / name).write_text(code)
    port = str(free_port())
    environment = {**os.environ, "PORT": port, "WEBHOOK_SECRET": encode_secret(SECRET)}
    receiver = subprocess.Popen(
        [program, name], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        until(lambda: listens(url))
        for type, body in example_bodies().items():
            content = orjson.dumps(body)
            new, old = SECRET, base64.b64decode("AAAA")
            signed = signed_headers([new, old], id=type, at=utc_now(), body=content)
            late = signed_headers([new], id=type, at=utc_now() - timedelta(hours=1), body=content)
            forged = signed_headers([old], id=type, at=utc_now(), body=content)
            statuses = [
                httpx.post(url, content=content, headers=it, timeout=PATIENCE_S).status_code
                for it in (signed, signed, late, forged)
            ]
            assert statuses == [204, 204, 401, 401]
    finally:
        receiver.terminate()
        output, _ = receiver.communicate()
    assert output.split() == list(example_bodies())


def test_a_receiver_verifies_a_webhook_with_the_public_key(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    page = (ROOT / "docs" / "webhooks.md").read_text()
    [code] = re.findall(r"^```js\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    call = "const [id, sentAt, body, header] = process.argv.slice(2);\n"
    call += "console.log(isSigned(id, sentAt, Buffer.from(body), header));\n"
    (tmp_path / "verify.mjs").write_text(code + call)
    key, other_key, body = SECRET, bytes(32), '{"grüße": 1}'
    environment = {**os.environ, "WEBHOOK_PUBLIC_KEY": encode_public_key(key)}
    verdicts = []
    for keys in ([other_key, key], [other_key], []):
        signed = signed_headers([SECRET], keys=keys, id="id-1", at=utc_now(), body=body.encode())
        arguments = ["id-1", signed["webhook-timestamp"], body, signed["webhook-signature"]]
        verified = subprocess.run(
            ["node", "verify.mjs", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        verdicts.append(verified.stdout.strip())

    assert verdicts == ["true", "false", "false"]
