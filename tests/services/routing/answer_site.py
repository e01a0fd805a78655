"""Routing's API while it serves answer pages, and a browser without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from services.routing.domain.answer_links import (
    LIFETIME,
    PURPOSE,
    AnswerLink,
    token_of,
)
from services.routing.main import build_api
from shared.auth.derived_keys import derived_keys
from shared.contracts.payloads import (
    CardTouch,
    Consent,
    ConsentState,
    FormAnswer,
    LeadCard,
    LeadContext,
    TopicViews,
    Touch,
)
from shared.db.session import Sessions
from tests.builders import DEFAULT_SECTIONS, NOON, lead_qualified
from tests.loopback import NO_TLS
from tests.services.routing.builders import (
    announced_changes,
    build_assigner,
    entry,
    importing,
    qualifying,
)
from tests.services.routing.client import ADA
from tests.serving import serving

SECRET = "bGVhZGJhdG9uLXRlc3RzLWxlYWRiYXRvbi10ZXN0cyE="
NEW_SECRET = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleSE="
TOO_SOON, SLOW = timedelta(milliseconds=900), timedelta(seconds=1)
PAUSES = [
    {"id": "on_holiday", "label": "They are away", "kinds": ["first_touch"], "longest": "10d"}
]
LEAD = LeadContext(
    name="Ada <b>Lovelace</b>",
    email="ada@example.com",
    phone="+442079460000",
    company="Analytical & Sons",
    traits={"title": "Countess", "name": "Ada"},
    why_now=Touch(
        id="1",
        type="demo_requested",
        time=NOON,
        title="Request a demo",
        properties={"message": "<script>alert(1)</script>"},
    ),
    lead_card=LeadCard(
        persona="Decides & signs",
        form_answers=(
            FormAnswer(
                field="pain",
                label="What hurts <most>",
                text="Nobody calls us.\n<img src=x> " + "very" * 60,
                at=NOON,
            ),
            FormAnswer(field="wish", label="Wish", text="نريد عرضا توضيحيا 👩‍💻", at=NOON),
        ),
        topics=(TopicViews(topic="prices", label="Prices", views=3, weight=2.5),),
        first_touch=CardTouch(channel="email", campaign="<autumn>", type="page_viewed", at=NOON),
        consent=Consent(state=ConsentState.UNKNOWN),
    ),
)


@dataclass
class Site:
    """Routing's API while it serves, with Ada's handoff at Grace, and a time source that tests put forward."""

    sessions: Sessions
    url: str = ""
    now: datetime = NOON + timedelta(minutes=10)
    secret: str = SECRET

    def path(self, *, hop: int = 1, rep: str = "grace", until: datetime = NOON + LIFETIME) -> str:
        """The path of a link."""
        [key, *_] = derived_keys(SecretStr(self.secret), PURPOSE)
        return f"/a/{token_of(AnswerLink(ADA, hop, rep, until), key)}"

    @contextmanager
    def visit(self) -> Iterator[httpx.Client]:
        """A browser without scripts."""
        with httpx.Client(base_url=self.url, timeout=20, verify=NO_TLS) as client:
            yield client

    def steps(self) -> list[tuple[str, str | None]]:
        """What was announced."""
        with self.sessions() as session:
            return announced_changes(session)


def served(sessions: Sessions, secret: str, **options: Any) -> tuple[Site, Any]:
    site = Site(sessions)
    app = build_api(sessions, time_source=lambda: site.now, secret_key=SecretStr(secret), **options)
    return site, app


@contextmanager
def serving_site(sessions: Sessions) -> Iterator[Site]:
    """Ada is with Grace since noon; Linus may take over; it is ten past."""
    with sessions.begin() as session:
        routing = {**DEFAULT_SECTIONS["routing"], "pause_reasons": PAUSES}
        assigner = build_assigner(session, routing=routing)
        importing(session, entry("grace"), entry("linus"))
        qualifying(session, assigner, lead_qualified(lead="ada", context=LEAD))
    site, app = served(sessions, SECRET)
    with serving(app) as site.url:
        yield site


def form_of(page: httpx.Response, answer: str, **fields: str) -> dict[str, str]:
    """The fields of a form of the page as a browser sends them."""
    [stamp, *_] = re.findall(r'name="stamp" value="([^"]+)"', page.text)
    return {"stamp": stamp, "answer": answer, **fields}


def send(
    client: httpx.Client,
    site: Site,
    path: str,
    answer: str,
    *,
    after: timedelta = SLOW,
    **fields: str,
) -> httpx.Response:
    """Open the page, wait, and send a form."""
    page = client.get(path)
    site.now += after
    return client.post(path, data=form_of(page, answer, **fields))


ASSIGNED = [("assigned", "grace")]
