"""Apache Kafka behind TLS and SASL with its own certificate, as managed services of Kafka are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from shared.embedded.postgres import free_port
from tests.certificates import make_certificate
from tests.kafka.server import PROPERTIES, ApacheKafka, answers

USER = "leadbaton"
PASSWORD = "correct-horse"
MODULES = "org.apache.kafka.common.security"
TOKENS = f"{MODULES}.oauthbearer.OAuthBearerLoginModule"
SECURE = f"""
listeners=SECURE://127.0.0.1:{{port}},INTERNAL://127.0.0.1:{{internal}},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners=SECURE://127.0.0.1:{{port}},INTERNAL://127.0.0.1:{{internal}}
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=SECURE:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={{certificate}}
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.secure.plain.sasl.jaas.config={MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";
listener.name.secure.scram-sha-256.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config={MODULES}.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config={TOKENS} required unsecuredLoginStringClaim_sub="broker";
"""


class SecureKafka(ApacheKafka):
    """Apache Kafka that clients reach only with TLS and a password or a token."""

    quorum: ClassVar[Sequence[str]] = (
        "--standalone",
        *("--add-scram", f"SCRAM-SHA-256=[name={USER},password={PASSWORD}]"),
        *("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"),
    )

    def __init__(self, directory: Path, port: int) -> None:
        super().__init__(directory, port)
        self._internal = free_port()

    @property
    def authority(self) -> Path:
        """The certificate that signs the server's: its own."""
        return self.directory / "certificate.pem"

    def _properties(self) -> str:
        key_and_certificate = self.directory / "server.pem"
        make_certificate(self.authority, key_and_certificate)
        plain = [it for it in PROPERTIES.splitlines() if "listeners=" not in it]
        return ("\n".join(plain) + SECURE).format(
            port=self.port,
            internal=self._internal,
            controller=free_port(),
            logs=self.directory / "log",
            certificate=key_and_certificate,
        )

    def _answers(self) -> bool:
        return answers(f"127.0.0.1:{self._internal}")
