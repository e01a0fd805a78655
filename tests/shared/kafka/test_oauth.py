"""Tokens come from a file or from an endpoint, and are asked for again when they are no longer fresh."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from kafka.errors import SaslAuthenticationFailedError

from shared.kafka import config
from shared.kafka.oauth import ClientCredentials, TokenFile
from shared.process.settings import Settings


class Endpoint(ThreadingHTTPServer):
    """A token endpoint that gives t1, t2, … to clients with the secret."""

    life_s = 600
    requests = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/token"


class Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["content-length"]))
        known = "Basic " + base64.b64encode(b"us:secret").decode()
        good = self.headers["authorization"] == known and b"scope=kafka" in request
        self.server.requests += 1
        body = f'{{"access_token": "t{self.server.requests}", "expires_in": {self.server.life_s}}}'
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_used_while_it_is_fresh(endpoint: Endpoint) -> None:
    tokens = ClientCredentials(endpoint.url, "us", "secret", "kafka")
    assert [tokens.token(), tokens.token()] == ["t1", "t1"]


def test_a_token_that_is_no_longer_fresh_is_asked_for_again(endpoint: Endpoint) -> None:
    endpoint.life_s = 0
    tokens = ClientCredentials(endpoint.url, "us", "secret", "kafka")
    assert [tokens.token(), tokens.token()] == ["t1", "t2"]


def test_an_endpoint_that_gives_no_token_is_named_without_the_secret(endpoint: Endpoint) -> None:
    tokens = ClientCredentials(endpoint.url, "us", "wrong-secret", None)
    with pytest.raises(SaslAuthenticationFailedError, match="no token") as refused:
        tokens.token()
    assert "wrong-secret" not in str(refused.value)


def test_a_token_file_is_read_each_time_and_named_when_it_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one\n")
    tokens = TokenFile(file)
    assert tokens.token() == "one"
    file.unlink()
    with pytest.raises(SaslAuthenticationFailedError, match="FileNotFound"):
        tokens.token()


def test_the_settings_name_the_endpoint_and_the_client(endpoint: Endpoint) -> None:
    settings = Settings.model_validate(
        {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": "OAUTHBEARER",
            "kafka_sasl_username": "us",
            "kafka_sasl_password": "secret",
            "kafka_oauth_token_url": endpoint.url,
            "kafka_oauth_scope": "kafka",
        }
    )
    assert config.of(settings).security["sasl_oauth_token_provider"].token() == "t1"
