"""Tests of the encryption of stored secrets."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from shared.auth.vault import BadSecretKey, Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_what_is_encrypted_comes_back() -> None:
    vault = Vault(SecretStr(NEW))

    assert vault.decrypt(vault.encrypt(b"secret")) == b"secret"
    assert b"secret" not in vault.encrypt(b"secret")


def test_a_key_is_changed_by_putting_the_new_one_first() -> None:
    stored = Vault(SecretStr(OLD)).encrypt(b"secret")

    vault = Vault(SecretStr(f"{NEW}, {OLD}"))

    assert vault.decrypt(stored) == b"secret"
    assert Vault(SecretStr(NEW)).decrypt(vault.encrypt(b"secret")) == b"secret"


@pytest.mark.parametrize("key", [None, SecretStr(" "), SecretStr("short"), SecretStr(f"{NEW},")])
def test_a_key_that_is_none_says_how_to_make_one(key: SecretStr | None) -> None:
    with pytest.raises(BadSecretKey, match="leadbaton keys secret"):
        Vault(key)


def test_another_key_says_what_to_do() -> None:
    stored = Vault(SecretStr(OLD)).encrypt(b"secret")

    with pytest.raises(BadSecretKey, match="set the former key"):
        Vault(SecretStr(NEW)).decrypt(stored)
