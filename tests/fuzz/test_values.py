"""Any value in an event or an answer: no response is 5xx, no message becomes a dead letter, other events count."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.db.session import Sessions
from tests.fuzz.installation import Installation, running_installation

pytestmark = [pytest.mark.journey, pytest.mark.postgres]

EXAMPLES = int(os.environ.get("LEADBATON_FUZZ_EXAMPLES", "20"))
"""How many examples there are: in `make test` always the same ones; `make fuzz` sets more."""

FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize="LEADBATON_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

NAMES = st.sampled_from(
    ["", "email", "phone", "company", "name", "first_name", "country", "company_size", "title", "tags",
     "customer", "account", "url", "path", "page", "campaign", "value", "a", "userAgent", "traits"]
)  # fmt: skip
STRANGE = st.sampled_from(
    ["", "\0", "\ud800", "\ufffd", "k" * 3_000, "https://x.example/?utm_campaign=%00%ff"]
)
TEXTS = NAMES | STRANGE | st.text(st.characters(), max_size=20)
DIGITS = st.integers(1, 450).map(lambda it: "9" * it)
NUMBERS = (
    st.integers().map(str)
    | st.integers(-(2**65), 2**65).map(str)
    | DIGITS
    | st.builds("-{}.{}e{}".format, DIGITS, DIGITS, st.integers(-400, 400))
    | st.sampled_from(
        ["-0.0", "-0", "1e400", "1e-400", "5e-324", "1e308", "NaN", "-Infinity", "1E19"]
    )
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
)
SCALARS = st.sampled_from(["null", "true", "false"]) | NUMBERS | TEXTS.map(json.dumps)


def _object(fields: dict[str, str]) -> str:
    return f"{{{', '.join(f'{json.dumps(name)}: {value}' for name, value in fields.items())}}}"


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Objects as JSON, in which a name may come twice."""
    pairs = st.builds("{}: {}".format, TEXTS.map(json.dumps), values)
    return st.lists(pairs, max_size=5).map(lambda it: f"{{{', '.join(it)}}}")


def nested(value: str, levels: int, *, lists: bool) -> str:
    """The value so many levels deep."""
    opened, closed = ("[", "]") if lists else ('{"in": ', "}")
    return opened * levels + value + closed * levels


VALUES = st.recursive(
    SCALARS,
    lambda inside: (
        st.lists(inside, max_size=4).map(lambda it: f"[{', '.join(it)}]") | objects(inside)
    ),
    max_leaves=10,
)
DEEP = st.builds(
    nested, VALUES, st.sampled_from([0, 0, 0, 5, 90, 98, 101, 180, 300]), lists=st.booleans()
)
OBJECTS = objects(VALUES | DEEP)
TIMES = st.sampled_from(
    [
        '"0001-01-01T00:00:00+14:00"',
        '"9999-12-31T23:59:59-14:00"',
        '"2026-11-01T10:00:00Z"',
        "0",
        "null",
    ]
)
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "traits": OBJECTS,
        "properties": OBJECTS,
        "context": OBJECTS,
        "time": TIMES,
        "more": DEEP,
    },
)
IDENTITIES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("phone", "user_id", "anonymous_id"), SCALARS)
)

ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "occurred_at": TIMES | SCALARS,
        "hop": SCALARS,
        "reason": SCALARS,
        "channel": SCALARS,
        "outcome": SCALARS,
        "amount": NUMBERS,
        "currency": st.just('"EUR"') | SCALARS,
    },
).map(_object)

_numbers = count(1)


@pytest.fixture(scope="module")
def installation(module_sessions: Sessions) -> Iterator[Installation]:
    """One for all examples."""
    with running_installation(module_sessions.kw["bind"]) as shared:
        yield shared


def native(id: str, email: str, parts: dict[str, str], who: dict[str, str]) -> str:
    """A hand-raise in our own format."""
    lead = {"email": json.dumps(email), **who}
    fields = {"id": json.dumps(id), "type": '"demo_requested"', "lead": _object(lead), **parts}
    return _object(fields)


def segment(id: str, email: str, parts: dict[str, str], who: dict[str, str]) -> str:
    """The same hand-raise in Segment's format."""
    ids = {"user_id": "userId", "anonymous_id": "anonymousId", "phone": "previousId"}
    fields = {("timestamp" if name == "time" else name): value for name, value in parts.items()}
    context = (
        f'{{"traits": {{"email": {json.dumps(email)}}}, "more": {fields.pop("context", "0")}}}'
    )
    return _object(
        {
            "type": '"track"',
            "event": '"Demo Requested"',
            "messageId": json.dumps(id),
            "context": context,
        }
        | {ids[name]: value for name, value in who.items()}
        | fields
    )


@FUZZ
@given(parts=PARTS, who=IDENTITIES, odd_item=DEEP, is_native=st.booleans())
def test_any_event_reaches_its_rep_or_is_refused_alone(
    installation: Installation,
    parts: dict[str, str],
    who: dict[str, str],
    odd_item: str,
    *,
    is_native: bool,
) -> None:
    number = next(_numbers)
    odd, good = f"odd-{number}@customer.example.com", f"good-{number}@customer.example.com"
    write = native if is_native else segment
    items = [
        write(f"odd-{number}", odd, parts, who),
        odd_item,
        write(f"good-{number}", good, {}, {}),
    ]
    body = f"[{', '.join(items)}]" if is_native else _object({"batch": f"[{', '.join(items)}]"})

    answer = installation.post(
        "/v1/events" if is_native else "/v1/batch", body.encode("utf-8", "surrogatepass")
    )

    assert answer.status_code == 200, answer.text
    if is_native:
        assert answer.json()["results"][f"good-{number}"] == {"status": "ok"}
    assert installation.pass_messages() == []
    installation.sweep()
    assert installation.pass_messages() == []
    installation.await_deliveries()
    assert installation.pass_messages() == []
    check(installation, good, is_known=True)
    accepted = not is_native or answer.json()["results"][f"odd-{number}"]["status"] == "ok"
    check(installation, odd, is_known=is_native and accepted, may_be_old="time" in parts)
    assert installation.pass_messages() == []
    check_lists(installation)


def check_lists(installation: Installation) -> None:
    """Read the first entries of every list."""
    for api, path in (
        (installation.scoring, "/v1/rejections?limit=5"),
        (installation.routing, "/v1/handoffs?limit=5"),
        (installation.routing, "/v1/deliveries?limit=5"),
        (installation.sla, "/v1/sla/clocks?limit=5"),
        (installation.sla, "/v1/sla/breaches?limit=5"),
    ):
        assert api.get(path).status_code == 200, path


def check(
    installation: Installation, email: str, *, is_known: bool, may_be_old: bool = False
) -> None:
    """Read the lead, its events and its handoff, and answer the handoff, through the APIs.

    A hand-raise that is older than the agreement's `hand_raise_within` gives its lead no handoff.
    """
    lead_response = installation.scoring.get("/v1/leads", params={"email": email})
    assert lead_response.status_code in ((200,) if is_known else (200, 404)), lead_response.text
    if lead_response.status_code == 404:
        return
    lead = lead_response.json()["id"]
    assert installation.scoring.get(f"/v1/leads/{lead}/events").status_code == 200
    assert installation.differences(UUID(lead)) == []
    handoffs = installation.routing.get("/v1/handoffs", params={"lead": lead}).json()["items"]
    if may_be_old and not handoffs:
        return
    [handoff] = handoffs
    story = installation.routing.get(f"/v1/handoffs/{handoff['id']}")
    assert story.status_code == 200, story.text
    deliveries = {(it["type"], it["state"]) for it in story.json()["deliveries"]}
    assert ("handoff.assigned", "delivered") in deliveries or (
        "handoff.undelivered",
        "delivered",
    ) in deliveries
    for verb, answer in (
        ("accept", {}),
        ("contact", {"channel": "phone", "outcome": "reached"}),
        ("win", {"amount": 9_000, "currency": "EUR"}),
    ):
        response = installation.routing.post(f"/v1/handoffs/{handoff['id']}/{verb}", json=answer)
        assert response.status_code == 200, response.text


@FUZZ
@given(
    verb=st.sampled_from(["accept", "reject", "contact", "win", "lose", "reassign"]),
    body=OBJECTS | DEEP | ANSWERS,
)
def test_any_answer_is_taken_or_refused(installation: Installation, verb: str, body: str) -> None:
    [*handoffs] = installation.routing.get("/v1/handoffs?limit=1").json()["items"]
    id = handoffs[0]["id"] if handoffs else UUID(int=0)

    response = installation.routing.post(
        f"/v1/handoffs/{id}/{verb}",
        content=body.encode("utf-8", "surrogatepass"),
        headers={"content-type": "application/json"},
    )

    assert response.status_code < 500, response.text
    assert installation.pass_messages() == []
    for path in ("/v1/handoffs?limit=1", f"/v1/handoffs/{id}"):
        assert installation.routing.get(path).status_code in (200, 404)
