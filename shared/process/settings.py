"""The settings of all processes, from environment variables `LEADBATON_…`. Only `main` modules read them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from shared.process.addresses import (
    check_brokers,
    check_database_url,
    check_host,
    check_http_url,
    networks_of,
    ports_of,
)
from shared.process.destinations import check_networks

MAX_SECRET_BYTES = 4_000

Networks = tuple[IPv4Network | IPv6Network, ...]


def secret_in(file: Path) -> str:
    """The content of the file, without the end of the line; raises ValueError if it is empty, too long or no text."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None
    if not content or len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"{file} must hold 1 to {MAX_SECRET_BYTES} bytes")
    return content


def checked_by(check: Callable[[Any], object]) -> Callable[[Any], Any]:
    """A validator that returns its value unless `check` raises ValueError; it does not check None."""

    def validate(value: Any) -> Any:
        if value is not None:
            check(value)
        return value

    return validate


def networks_in(value: object) -> object:
    """The networks of a text; other values are returned as they are."""
    return networks_of(value) if isinstance(value, str) else value


class Settings(BaseSettings):
    """The settings of every process; each process uses some of them."""

    model_config = SettingsConfigDict(env_prefix="LEADBATON_", extra="ignore")

    database_url: str = Field(
        default="postgresql://leadbaton@127.0.0.1:5432/leadbaton",
        max_length=2_000,
        description="PostgreSQL, as a SQLAlchemy URL.",
    )
    database_password_file: Path | None = Field(
        default=None, description="A file with the password for that URL, which then needs none."
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        max_length=2_000,
        description="Kafka's bootstrap servers, separated by commas.",
    )
    kafka_keeps_log: bool = Field(
        default=True,
        description="False for a broker that loses its log at a restart: events are then stored in the outbox first.",
    )
    kafka_partitions: int = Field(
        default=12, ge=1, le=1000, description="Partitions of a new topic."
    )
    kafka_replication: int = Field(default=1, ge=1, le=9, description="Replicas of a new topic.")
    kafka_session_timeout_ms: int = Field(
        default=10_000,
        ge=1_000,
        le=60_000,
        description="A worker that sends no heartbeat for so long leaves its group.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT",
        description="The protocol to Kafka: with TLS (SSL), with SASL, with both or neither.",
    )
    kafka_ssl_ca_file: Path | None = Field(
        default=None,
        description="Certificates (PEM) that may sign Kafka's; by default those of the system.",
    )
    kafka_ssl_certificate_file: Path | None = Field(
        default=None,
        description="The certificate (PEM) of Leadbaton, where Kafka requires one (mutual TLS).",
    )
    kafka_ssl_key_file: Path | None = Field(
        default=None, description="The private key (PEM) of that certificate."
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        default=None, max_length=4_000, description="The password of that private key."
    )
    kafka_sasl_mechanism: (
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None
    ) = Field(
        default=None,
        description="The SASL mechanism: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.",
    )
    kafka_sasl_username: str | None = Field(
        default=None,
        max_length=4_000,
        description="The user name at Kafka; with OAUTHBEARER the id of the client.",
    )
    kafka_sasl_password: SecretStr | None = Field(
        default=None,
        max_length=4_000,
        description="The password at Kafka; with OAUTHBEARER the secret of the client.",
    )
    kafka_sasl_password_file: Path | None = Field(
        default=None, description="A file with that password, instead of the variable."
    )
    kafka_oauth_token_url: str | None = Field(
        default=None,
        max_length=4_000,
        description="The token endpoint of OAuth 2.0 (client credentials).",
    )
    kafka_oauth_scope: str | None = Field(
        default=None, max_length=4_000, description="The OAuth scope of the token."
    )
    kafka_oauth_token_file: Path | None = Field(
        default=None,
        description="A file with a token, which another program renews, instead of an endpoint.",
    )
    worker_name: str | None = Field(
        default=None,
        max_length=200,
        description="The name of this worker, the same after restarts (static membership), e.g. scoring-worker-0.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        max_length=200,
        description="Encrypts webhook secrets at rest: 32 bytes as url-safe base64 (leadbaton keys secret).",
    )
    secret_key_file: Path | None = Field(
        default=None, description="A file with that key, instead of the variable."
    )
    host: str = Field(
        default="127.0.0.1", max_length=255, description="The address that an API listens on."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="The port of an API; by default console 8000, scoring 8001, routing 8002, SLA 8003, "
        "alignment 8004.",
    )
    probe_host: str = Field(
        default="127.0.0.1",
        max_length=255,
        description="The address that a worker's probes listen on.",
    )
    probe_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="The port of a worker's /healthz, /readyz and /metrics; none by default.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8002",
        max_length=2_000,
        description="The URL at which a rep's browser reaches the routing API.",
    )
    console_url: str = Field(
        default="http://127.0.0.1:8000",
        max_length=2_000,
        description="The URL at which browsers reach the console.",
    )
    scoring_url: str = Field(
        default="http://127.0.0.1:8001",
        max_length=2_000,
        description="The URL at which the console reaches the scoring API.",
    )
    routing_url: str = Field(
        default="http://127.0.0.1:8002",
        max_length=2_000,
        description="The URL at which the console reaches the routing API.",
    )
    sla_url: str = Field(
        default="http://127.0.0.1:8003",
        max_length=2_000,
        description="The URL at which the console reaches the SLA API.",
    )
    alignment_url: str = Field(
        default="http://127.0.0.1:8004",
        max_length=2_000,
        description="The URL at which the console reaches the alignment API.",
    )
    allow_networks: Annotated[Networks, NoDecode] = Field(
        default=(),
        max_length=1_000,
        description="Private networks that webhooks may reach, separated by commas.",
    )
    allow_ports: str = Field(
        default="80,443,1024-65535",
        max_length=1_000,
        description="Ports that webhooks may go to: numbers and ranges, separated by commas.",
    )
    log_level: str = Field(
        default="INFO",
        max_length=10,
        pattern="(?i)^(debug|info|warning|error|critical)$",
        description="The least level that is logged: DEBUG, INFO, WARNING or ERROR.",
    )
    max_request_bytes: int = Field(
        default=1_000_000,
        ge=1_000,
        le=100_000_000,
        description="The largest request body, in bytes.",
    )
    max_event_bytes: int = Field(
        default=32_768, ge=1_000, le=1_000_000, description="The largest single event, in bytes."
    )
    max_events: int = Field(
        default=2_500, ge=1, le=100_000, description="The most events in one request."
    )
    ingest_rate: int = Field(
        default=1_000,
        ge=1,
        le=10_000_000,
        description="Events a second that a key may send to one process.",
    )
    ingest_burst: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="Events that a key may send at once after a pause.",
    )
    rejections_max_age_days: int = Field(
        default=30,
        ge=1,
        le=3_650,
        description="A rejection is deleted after so many days without a repetition.",
    )

    _networks = field_validator("allow_networks", mode="before")(networks_in)
    _allowed_networks = field_validator("allow_networks")(checked_by(check_networks))
    _hosts = field_validator("host", "probe_host")(checked_by(check_host))
    _urls = field_validator(
        "public_url",
        "console_url",
        "scoring_url",
        "routing_url",
        "sla_url",
        "alignment_url",
        "kafka_oauth_token_url",
    )(checked_by(check_http_url))
    _brokers = field_validator("kafka_bootstrap")(checked_by(check_brokers))
    _ports = field_validator("allow_ports")(checked_by(ports_of))
    _database = field_validator("database_url")(checked_by(check_database_url))
    _secrets = field_validator("database_password_file", "secret_key_file")(checked_by(secret_in))

    @model_validator(mode="after")
    def _with_secrets_of_files(self) -> Self:
        if self.database_password_file is not None:
            url = make_url(self.database_url).set(password=secret_in(self.database_password_file))
            self.database_url = url.render_as_string(hide_password=False)
        if self.secret_key_file is not None:
            self.secret_key = SecretStr(secret_in(self.secret_key_file))
        return self

    def ports(self) -> frozenset[int]:
        """The ports that `allow_ports` lists."""
        return ports_of(self.allow_ports)
