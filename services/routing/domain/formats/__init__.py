"""The formats in which endpoints take notifications: JSON of Leadbaton, messages of Slack, cards of Teams."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from services.routing.domain.attempts import Response
from services.routing.domain.formats import slack, teams


class Format(StrEnum):
    """What an endpoint takes."""

    STANDARD = "standard"
    """The notification itself, as Standard Webhooks describes it."""
    SLACK = "slack"
    """A message for an incoming webhook of Slack."""
    TEAMS = "teams"
    """An adaptive card for a workflow of Microsoft Teams."""


def encode(format_: Format, body: bytes) -> bytes:
    """The bytes that an endpoint of this format gets for a notification."""
    match format_:
        case Format.SLACK:
            return slack.encode(body)
        case Format.TEAMS:
            return teams.encode(body)
        case _:
            return body


def confirmed(format_: Format, response: Response) -> Response:
    """The response, unless Slack says by its text that it did not take the message: then it counts as a failure.

    Teams confirms with its 2xx only that it took the card, not that anybody saw it.
    """
    if format_ is not Format.SLACK or not response.is_success or response.detail.strip() == "ok":
        return response
    detail = f"Slack did not answer `ok`: {response.detail}"
    return replace(response, detail=detail, is_confirmed=False)
