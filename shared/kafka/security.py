"""The options of Kafka's clients for TLS and SASL, from settings that are checked before any client connects."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import SecretStr

from shared.errors import LeadbatonError
from shared.kafka.oauth import ClientCredentials, TokenFile
from shared.kafka.patches.failed_handshakes import ClosingSocket
from shared.process.settings import Settings

Options = Mapping[str, Any]


class BadKafkaSettings(LeadbatonError):
    """Settings for Kafka's TLS or SASL that contradict each other, or name a file that does not exist."""

    code: ClassVar[str] = "bad_kafka_settings"


def options_of(settings: Settings) -> Options:
    """The options that producers, consumers and admin clients share. Raises BadKafkaSettings."""
    protocol = settings.kafka_security_protocol
    return {
        "security_protocol": protocol,
        **_tls(settings, used=protocol.endswith("SSL")),
        **_sasl(settings, used=protocol.startswith("SASL")),
    }


def _tls(settings: Settings, *, used: bool) -> Options:
    authority = settings.kafka_ssl_ca_file
    certificate, key = settings.kafka_ssl_certificate_file, settings.kafka_ssl_key_file
    paths = [path for path in (authority, certificate, key) if path is not None]
    if paths and not used:
        raise BadKafkaSettings(
            "LEADBATON_KAFKA_SSL_… is set, but LEADBATON_KAFKA_SECURITY_PROTOCOL uses no TLS: make it SSL or SASL_SSL"
        )
    if key is not None and certificate is None:
        raise BadKafkaSettings(
            "LEADBATON_KAFKA_SSL_KEY_FILE needs LEADBATON_KAFKA_SSL_CERTIFICATE_FILE"
        )
    for path in paths:
        _readable(path)
    if not used:
        return {}
    return {
        "ssl_context": _tls_context(authority, certificate, key, settings.kafka_ssl_key_password)
    }


def _tls_context(
    authority: Path | None, certificate: Path | None, key: Path | None, password: SecretStr | None
) -> ssl.SSLContext:
    def key_password() -> str:
        if password is None:
            raise BadKafkaSettings(
                "the key is encrypted: it needs LEADBATON_KAFKA_SSL_KEY_PASSWORD"
            )
        return password.get_secret_value()

    try:
        context = ssl.create_default_context(cafile=authority)
    except ssl.SSLError:
        raise BadKafkaSettings(f"{authority} holds no certificate in PEM format") from None
    context.sslsocket_class = ClosingSocket
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, key_password)
        except ssl.SSLError as error:
            raise BadKafkaSettings(
                f"{certificate} and its key cannot be used: {error.reason or error}"
            ) from None
    return context


def _sasl(settings: Settings, *, used: bool) -> Options:
    mechanism = settings.kafka_sasl_mechanism
    if used != (mechanism is not None):
        raise BadKafkaSettings(
            "LEADBATON_KAFKA_SASL_MECHANISM and a LEADBATON_KAFKA_SECURITY_PROTOCOL of SASL_SSL or SASL_PLAINTEXT "
            "go together: set both or neither"
        )
    if mechanism is None:
        return {}
    if mechanism == "OAUTHBEARER":
        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": _tokens(settings)}
    password = _secret(settings.kafka_sasl_password, settings.kafka_sasl_password_file)
    if settings.kafka_sasl_username is None or password is None:
        raise BadKafkaSettings(
            f"{mechanism} needs LEADBATON_KAFKA_SASL_USERNAME, and LEADBATON_KAFKA_SASL_PASSWORD or …_PASSWORD_FILE"
        )
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password,
    }


def _tokens(settings: Settings) -> TokenFile | ClientCredentials:
    if settings.kafka_oauth_token_file is not None:
        _readable(settings.kafka_oauth_token_file)
        return TokenFile(settings.kafka_oauth_token_file)
    secret = _secret(settings.kafka_sasl_password, settings.kafka_sasl_password_file)
    if settings.kafka_oauth_token_url is None or settings.kafka_sasl_username is None or not secret:
        raise BadKafkaSettings(
            "OAUTHBEARER needs LEADBATON_KAFKA_OAUTH_TOKEN_FILE, or LEADBATON_KAFKA_OAUTH_TOKEN_URL with the client's "
            "id as LEADBATON_KAFKA_SASL_USERNAME and its secret as LEADBATON_KAFKA_SASL_PASSWORD or …_PASSWORD_FILE"
        )
    return ClientCredentials(
        settings.kafka_oauth_token_url,
        settings.kafka_sasl_username,
        secret,
        settings.kafka_oauth_scope,
    )


def _secret(value: SecretStr | None, file: Path | None) -> str | None:
    if value is not None:
        return value.get_secret_value()
    return None if file is None else _readable(file).strip()


def _readable(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKafkaSettings(f"{path} cannot be read: {type(error).__name__}") from None
