"""Signatures of webhooks: `v1` by HMAC, `v1a` by ed25519."""

from __future__ import annotations

from base64 import b64decode

import pytest

from services.routing.domain.signing import (
    PUBLIC_KEY_PREFIX,
    encode_public_key,
    encode_secret,
    signed_headers,
)
from shared.clock import utc_now
from tests.ed25519 import verifies

RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    ),
]
"""Private and public keys of the standard's examples."""
BODY = b'{"type":"handoff.assigned"}'


@pytest.mark.parametrize(("private_key", "public_key"), RFC_8032)
def test_a_public_key_is_that_of_the_standard(private_key: str, public_key: str) -> None:
    encoded = encode_public_key(bytes.fromhex(private_key))

    assert encoded.startswith("whpk_")
    assert b64decode(encoded.removeprefix(PUBLIC_KEY_PREFIX)).hex() == public_key


def test_each_secret_and_each_key_gives_one_signature_of_its_version() -> None:
    keys = [bytes.fromhex(private_key) for private_key, _ in RFC_8032]
    headers = signed_headers([b"a" * 32, b"b" * 32], keys=keys, id="x", at=utc_now(), body=BODY)

    signatures = [it.split(",") for it in headers["webhook-signature"].split(" ")]
    assert [version for version, _ in signatures] == ["v1", "v1", "v1a", "v1a"]
    content = f"x.{headers['webhook-timestamp']}.".encode() + BODY
    public_keys = [bytes.fromhex(public_key) for _, public_key in RFC_8032]
    ed25519 = [b64decode(it) for version, it in signatures if version == "v1a"]
    assert [
        [verifies(key, signature, content) for key in public_keys] for signature in ed25519
    ] == [[True, False], [False, True]]
    assert not verifies(public_keys[0], ed25519[0], content + b" ")


def test_a_secret_is_shown_in_the_form_of_standard_webhooks() -> None:
    assert encode_secret(b"\x00" * 24) == "whsec_" + "A" * 32
