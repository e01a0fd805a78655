"""What an operator can mend is told in words; what only we can mend is not dressed up."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import psycopg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError

import services
import shared
from services.cli.errors import OPERATOR_ERRORS, message_of
from shared.agreement.store import NoAgreement
from shared.auth.vault import BadSecretKey
from shared.documents import InvalidDocument
from shared.errors import LeadbatonError, Rejected, Unavailable
from shared.process.settings import Settings
from tests.commands import leadbaton

ROOT = Path(__file__).parents[3]


class Payload(BaseModel):
    """Something that is no setting."""

    amount: int


def ours(kind: type[LeadbatonError] = LeadbatonError) -> Iterator[type[LeadbatonError]]:
    """Every error of the product, whatever module it is in."""
    for package in (services, shared):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    yield from _below(kind)


def _below(kind: type[LeadbatonError]) -> Iterator[type[LeadbatonError]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith(("services.", "shared.")):
            yield subclass
        yield from _below(subclass)


def test_each_error_of_ours_tells_itself() -> None:
    """Errors of every module: one that says something else than what it was made with would be told wrongly."""
    errors = set(ours())
    assert {Unavailable, Rejected, InvalidDocument, BadSecretKey, NoAgreement} <= errors
    for kind in errors:
        error = kind.__new__(kind)
        LeadbatonError.__init__(error, f"what {kind.__name__} says")
        assert isinstance(error, OPERATOR_ERRORS)
        assert message_of(error) == str(error) == f"what {kind.__name__} says"


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["keys", "list"], {"DATABASE_URL": "postgresql://me@127.0.0.1:1/x"}, "the database does not answer: "),
        (["keys", "list"], {"PORT": "0"}, "LEADBATON_PORT: Input should be greater than"),
        (["reps", "import", "README.md"], {"SECRET_KEY": "short"}, "32 bytes"),
    ],
    ids=["database", "setting", "ours"],
)  # fmt: skip
def test_a_command_ends_with_one_text_and_no_traceback(
    arguments: list[str], environment: dict[str, str], message: str
) -> None:
    settings = {f"LEADBATON_{name}": value for name, value in environment.items()}
    nowhere = "postgresql://me@127.0.0.1:1/x"
    done = leadbaton(
        *arguments, **{"PWD": str(ROOT), "LEADBATON_DATABASE_URL": nowhere, **settings}
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("leadbaton: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_database_is_quoted() -> None:
    reason = psycopg.OperationalError("connection refused\nis it running?")

    for away in (reason, OperationalError("select 1", {}, reason)):
        assert message_of(away) == "the database does not answer: connection refused"


def test_every_wrong_setting_is_named_as_the_variable() -> None:
    with pytest.raises(OPERATOR_ERRORS) as caught:
        Settings.model_validate({"port": "none", "kafka_partitions": 0.5})

    message = message_of(caught.value)
    assert message is not None
    assert [line.split(":")[0] for line in message.splitlines()] == [
        "LEADBATON_KAFKA_PARTITIONS",
        "LEADBATON_PORT",
    ]


def test_a_bug_shows_a_traceback() -> None:
    with pytest.raises(ValidationError) as caught:
        Payload.model_validate({"amount": "much"})

    assert message_of(caught.value) is None
