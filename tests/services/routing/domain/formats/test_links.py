"""A message for a chat has links to the answers that its handoff takes."""

from __future__ import annotations

import orjson
import pytest

from services.routing.domain.formats import Format, encode
from tests.builders import NOON

ANSWER = "https://leads.example.com/a/token"


@pytest.mark.parametrize(
    ("state", "words"),
    [("assigned", ["Accept", "Contacted", "Hand back"]), ("won", ["Answer"])],
)
def test_the_answers_that_a_handoff_takes_are_linked(state: str, words: list[str]) -> None:
    data = {"handoff": {"state": state}, "links": {"answer": ANSWER}}
    body = orjson.dumps({"type": "handoff.at_risk", "timestamp": NOON, "data": data})

    message = encode(Format.SLACK, body).decode()

    assert [
        it.split(">")[0] for it in message.split("|")[1:] if "#" not in it.split(">")[0]
    ] == words
