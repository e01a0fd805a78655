"""What an operator can mend is told in words; what only we can mend is not dressed up."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError

from services.cli.mistakes import FORESEEN, in_words
from shared.errors import Unavailable
from shared.settings import Settings


class Payload(BaseModel):
    """Something that is no setting."""

    amount: int


def test_each_error_of_ours_tells_itself() -> None:
    assert in_words(Unavailable("Kafka is away")) == "Kafka is away"


def test_the_database_is_quoted() -> None:
    away = OperationalError("select 1", {}, Exception("connection refused"))

    assert in_words(away) == "the database does not answer: connection refused"


def test_every_wrong_setting_is_named_as_its_variable() -> None:
    with pytest.raises(FORESEEN) as caught:
        Settings.model_validate({"port": "none", "kafka_partitions": 0.5})

    told = in_words(caught.value)
    assert told is not None
    assert [line.split(":")[0] for line in told.splitlines()] == [
        "LEADBATON_KAFKA_PARTITIONS",
        "LEADBATON_PORT",
    ]


def test_a_bug_is_told_as_one() -> None:
    with pytest.raises(ValidationError) as caught:
        Payload.model_validate({"amount": "much"})

    assert in_words(caught.value) is None
