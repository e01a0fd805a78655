"""Pictures of the messages for Slack and Teams, for the documentation: our rendering of their JSON, not theirs."""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Browser

from services.routing.api.webhook_examples import example_bodies
from services.routing.domain.formats import Format
from tests.browser.watching import SHOTS, axe_violations

pytestmark = pytest.mark.browser

TYPES = ("handoff.assigned", "handoff.breached")
STYLE = """
body { margin: 0; padding: 16px; width: 560px; background: #f4f4f6; color: #1d1c1d; }
body { font: 15px/22px system-ui, sans-serif; }
article { background: #fff; border: 1px solid #d0d0d4; border-radius: 6px; padding: 12px 16px; margin-bottom: 16px; }
h1 { font-size: 15px; margin: 0 0 8px; } p { margin: 0 0 8px; } a { color: #0b4c8c; text-decoration: none; }
.large { font-size: 20px; font-weight: 600; } .subtle { color: #5c5c63; }
.actions a { display: inline-block; border: 1px solid #0b4c8c; border-radius: 4px; }
.actions a { padding: 4px 12px; margin: 4px 8px 0 0; }
"""


def slack_html(message: dict[str, Any]) -> str:
    """Sections of mrkdwn: bold, links and dates."""
    return "".join(f"<p>{_mrkdwn(it['text']['text'])}</p>" for it in message["blocks"])


def _mrkdwn(text: str) -> str:
    text = re.sub(r"<!date\^\d+\^[^|]+\|([^>]+)>", r"\1", text)
    text = re.sub(r"<(https://[^|>]+)\|([^>]+)>", r'<a href="\1">\2</a>', text)
    return re.sub(r"\*([^*\n]+)\*", r"<strong>\1</strong>", text).replace("\n", "<br>")


def teams_html(message: dict[str, Any]) -> str:
    """The elements of the card, and its actions as buttons."""
    content = message["attachments"][0]["content"]
    actions = "".join(
        f'<a href="{escape(it["url"])}">{escape(it["title"])}</a>' for it in content["actions"]
    )
    return "".join(map(_element, content["body"])) + f'<div class="actions">{actions}</div>'


def _element(element: dict[str, Any]) -> str:
    if element["type"] == "TextBlock":
        text = re.sub(
            r"\{\{DATE\(([^,)]+), SHORT\)\}\} \{\{TIME\([^)]+\)\}\}", _time, element["text"]
        )
        return "<p>" + re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text) + "</p>"
    runs = [
        f'<span class="{"large" if it.get("size") else "subtle" if it.get("isSubtle") else ""}">'
        f"{escape(it['text'])}</span>"
        for it in element["inlines"]
    ]
    return f"<p>{''.join(runs)}</p>"


def _time(match: re.Match[str]) -> str:
    return f"{datetime.fromisoformat(match[1]):%d %b %Y %H:%M}"


@pytest.mark.parametrize("format_", [Format.SLACK, Format.TEAMS], ids=str)
def test_a_picture_of_the_messages_of_a_chat(browser: Browser, format_: Format) -> None:
    examples = example_bodies(format_)
    render = slack_html if format_ is Format.SLACK else teams_html
    articles = "".join(f"<article>{render(examples[it])}</article>" for it in TYPES)
    page = browser.new_page(viewport={"width": 592, "height": 400})

    page.set_content(
        f'<!doctype html><html lang="en"><title>{format_}</title><style>{STYLE}</style>'
        f"<main><h1>{format_.title()}</h1>{articles}</main></html>"
    )

    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"chat-{format_}.png", full_page=True)
    assert page.get_by_role("link", name="Accept").count() == 1
    assert "Ines Tide, Tidewater Analytics" in page.inner_text("main")
    assert axe_violations(page) == []
    page.close()
