"""What a process is told from outside, as environment variables `LEADBATON_…`; read by `main` only."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url

from shared.process.addresses import (
    check_brokers,
    check_database_url,
    check_host,
    check_http_url,
    networks_of,
)
from shared.process.destinations import check_networks
from shared.process.ports import ports_of

MAX_SECRET_BYTES = 4_000

Networks = tuple[IPv4Network | IPv6Network, ...]


def secret_in(file: Path) -> str:
    """What the file holds, without the line's end; raises ValueError where that is no secret."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None
    if not content or len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"{file} must hold 1 to {MAX_SECRET_BYTES} bytes")
    return content


class Settings(BaseSettings):
    """One class for all processes, so that one set of variables configures an installation."""

    model_config = SettingsConfigDict(env_prefix="LEADBATON_", extra="ignore")

    database_url: str = Field(
        default="postgresql://leadbaton@127.0.0.1:5432/leadbaton",
        max_length=2_000,
        description="PostgreSQL, as a SQLAlchemy URL.",
    )
    database_password_file: Path | None = Field(
        default=None, description="A file with the password for that URL, instead of in it."
    )
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        max_length=2_000,
        description="Kafka's bootstrap servers, separated by commas.",
    )
    kafka_keeps_log: bool = Field(
        default=True,
        description="False for a broker that forgets at a restart: events go to the outbox first.",
    )
    kafka_partitions: int = Field(
        default=12, ge=1, le=1000, description="Partitions of a new topic."
    )
    kafka_replication: int = Field(default=1, ge=1, le=9, description="Replicas of a new topic.")
    kafka_session_timeout_ms: int = Field(
        default=10_000, ge=1_000, le=60_000, description="After this long a silent worker is out."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How Kafka is spoken to: with TLS, with SASL, or both."
    )
    kafka_ssl_ca_file: Path | None = Field(
        default=None, description="Who may sign Kafka's certificate (PEM); by default the system's."
    )
    kafka_ssl_certificate_file: Path | None = Field(
        default=None, description="Our certificate (PEM), where Kafka asks for one (mutual TLS)."
    )
    kafka_ssl_key_file: Path | None = Field(
        default=None, description="The key of our certificate (PEM)."
    )
    kafka_ssl_key_password: SecretStr | None = Field(
        default=None, max_length=4_000, description="What that key is encrypted with."
    )
    kafka_sasl_mechanism: (
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None
    ) = Field(default=None, description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.")
    kafka_sasl_username: str | None = Field(
        default=None,
        max_length=4_000,
        description="Our name at Kafka; with OAUTHBEARER the client's id.",
    )
    kafka_sasl_password: SecretStr | None = Field(
        default=None,
        max_length=4_000,
        description="Its password; with OAUTHBEARER the client's secret.",
    )
    kafka_sasl_password_file: Path | None = Field(
        default=None, description="A file with that password, instead of the variable."
    )
    kafka_oauth_token_url: str | None = Field(
        default=None,
        max_length=4_000,
        description="OAuth 2.0's token endpoint (client credentials).",
    )
    kafka_oauth_scope: str | None = Field(
        default=None, max_length=4_000, description="The scope to ask for there."
    )
    kafka_oauth_token_file: Path | None = Field(
        default=None, description="A file with a token that somebody else keeps fresh, instead."
    )
    worker_name: str | None = Field(
        default=None,
        max_length=200,
        description="A name that is this worker's across restarts (static membership), e.g. scoring-worker-0.",
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
        default="127.0.0.1", max_length=255, description="Address that an API listens on."
    )
    port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port of an API; by default scoring 8001, routing 8002, SLA 8003.",
    )
    probe_host: str = Field(
        default="127.0.0.1",
        max_length=255,
        description="Address that a worker's probes listen on.",
    )
    probe_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port of a worker's /healthz, /readyz and /metrics; none by default.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8002",
        max_length=2_000,
        description="How a rep's browser reaches the routing API.",
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
        description="DEBUG, INFO, WARNING or ERROR.",
    )
    max_request_bytes: int = Field(
        default=1_000_000, ge=1_000, le=100_000_000, description="Largest request body."
    )
    max_event_bytes: int = Field(
        default=32_000, ge=1_000, le=1_000_000, description="Largest single event."
    )
    max_events: int = Field(
        default=2_500, ge=1, le=100_000, description="Most events in one request."
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
        description="Events that a key may send at once, after a rest.",
    )
    rejections_max_age_days: int = Field(
        default=30,
        ge=1,
        le=3_650,
        description="After so many days without a repetition a rejection is deleted.",
    )

    @field_validator("allow_networks", mode="before")
    @classmethod
    def _are_networks(cls, value: object) -> object:
        return networks_of(value) if isinstance(value, str) else value

    @field_validator("allow_networks")
    @classmethod
    def _may_be_allowed(cls, value: Networks) -> Networks:
        check_networks(value)
        return value

    @field_validator("host", "probe_host")
    @classmethod
    def _is_a_host(cls, value: str) -> str:
        check_host(value)
        return value

    @field_validator("public_url", "kafka_oauth_token_url")
    @classmethod
    def _is_an_http_url(cls, value: str | None) -> str | None:
        if value is not None:
            check_http_url(value)
        return value

    @field_validator("kafka_bootstrap")
    @classmethod
    def _are_brokers(cls, value: str) -> str:
        check_brokers(value)
        return value

    @field_validator("allow_ports")
    @classmethod
    def _are_ports(cls, value: str) -> str:
        ports_of(value)
        return value

    @field_validator("database_url")
    @classmethod
    def _is_an_url(cls, value: str) -> str:
        check_database_url(value)
        return value

    @field_validator("database_password_file", "secret_key_file")
    @classmethod
    def _holds_a_secret(cls, file: Path | None) -> Path | None:
        if file is not None:
            secret_in(file)
        return file

    @model_validator(mode="after")
    def _with_secrets_of_files(self) -> Self:
        if self.database_password_file is not None:
            url = make_url(self.database_url).set(password=secret_in(self.database_password_file))
            self.database_url = url.render_as_string(hide_password=False)
        if self.secret_key_file is not None:
            self.secret_key = SecretStr(secret_in(self.secret_key_file))
        return self

    def ports(self) -> frozenset[int]:
        """Those of `allow_ports`."""
        return ports_of(self.allow_ports)
