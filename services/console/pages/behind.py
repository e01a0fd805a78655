"""The pages behind the figures of alignment: the leads that are counted, and the wins that are credited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.console.apis import Apis, Gap, Refusal, Service, ServiceAway
from services.console.pages.page import READERS, Export, Page, Source, View, address
from services.console.report import attribution, funnel
from services.console.report.contents import LEADS, WINS
from services.console.report.names import REPS, names_of
from services.console.report.sections import LEADS_PATH, WINS_PATH

PERIOD: Final = ("period", "since", "until")
REPORTS: Final = ("/alignment", "/alignment/agenda")
"""The pages whose figures these are."""

FIGURE: Final = ("promise", "measure", "of", "kept", "promises", "counted_by")
"""What names a figure besides the stage."""

CREDIT: Final = ("by", "group", "touched", "currency", "model")
"""What names a figure of attribution."""

ROWS = 25
"""Leads of one page: each name is a question to scoring."""

WORDS: Final = {
    "promises": {
        "any": "about which promises of sales were kept or broken",
        "met": "about which promises of sales were kept",
        "broken": "about which promises of sales were broken",
    },
    "kept": {"true": "only those that count for it", "false": "only those that do not"},
    "counted_by": {"happened": "by the day on which it happened", "qualified": ""},
    "touched": {"true": "touches that name none", "false": "no touch in the window"},
}
"""Parameters whose values are said in other words."""

TITLES: Final = {"since": "from", "until": "to", "by": "credit by", "of": "", "currency": "in"}
"""What stands before the values of parameters whose names say little to people."""

CHOICES: Final[Mapping[str, Mapping[str, str | None]]] = {
    "promises": {"Kept or broken": "any", "Kept": "met", "Broken": "broken"},
    "kept": {"All": None, "That count": "true", "That do not": "false"},
}
"""The other parts of a figure that a list leads to, by the parameter that selects them."""


async def load_leads(apis: Apis, view: View) -> Mapping[str, Any]:
    """The leads behind a figure, with the names that scoring has."""
    query = {**narrowed_leads(view), "after": view.query.get("after"), "limit": ROWS}
    return {
        **await _named(apis, apis.get(Service.ALIGNMENT, LEADS, **query)),
        "heading": _heading(view),
        "is_before_sales": view.query.get("stage") in funnel.FIRST_STAGES,
        "filters": _words(view, (*PERIOD, *funnel.GROUPS, *FIGURE)),
        "choices": _choices(view),
        "back": _back(view),
    }


async def load_wins(apis: Apis, view: View) -> Mapping[str, Any]:
    """The wins behind a figure of attribution, with the names that scoring has."""
    query = {**narrowed_wins(view), "after": view.query.get("after"), "limit": ROWS}
    return {
        **await _named(apis, apis.get(Service.ALIGNMENT, WINS, **query)),
        "filters": _words(view, (*PERIOD, *CREDIT)),
        "models": attribution.MODELS,
        "back": _back(view),
    }


async def _named(apis: Apis, call: Any) -> dict[str, Any]:
    """A list, and the names of its leads and reps."""
    parts = await apis.parts(leads=call, reps=apis.get(Service.ROUTING, REPS))
    leads = parts["leads"]
    ids = [] if isinstance(leads, Gap) else [it["lead_id"] for it in leads["items"]]
    return {
        "leads": leads,
        "names": await lead_names(apis, ids),
        "rep_names": names_of(parts["reps"]),
    }


async def lead_names(apis: Apis, ids: Sequence[str]) -> dict[str, str]:
    """What scoring calls each lead; erased leads, and all while scoring does not answer, have no name."""
    parts = await apis.parts(**{id_: _find_name(apis, id_) for id_ in set(ids)})
    return {id_: name for id_, name in parts.items() if isinstance(name, str)}


async def _find_name(apis: Apis, lead_id: str) -> str | None:
    try:
        lead = await apis.get(Service.SCORING, f"/v1/leads/{lead_id}")
    except (Refusal, ServiceAway):
        return None
    names = (lead["traits"].get("name"), lead["email"], lead["account"])
    return next((str(it) for it in names if it), None)


def narrowed_leads(view: View) -> dict[str, Any]:
    """The parameters of the list of leads; of what `unknown` names, those of which it is not known."""
    names = (*PERIOD, *funnel.GROUPS, *FIGURE, "stage")
    unknown = view.query.get("unknown", "").split(",")
    query = {name: view.query.get(name) for name in names}
    return query | {it: [""] for it in funnel.GROUPS if it in unknown} | _empty(view, "of")


def narrowed_wins(view: View) -> dict[str, Any]:
    """The parameters of the list of wins."""
    query = {name: view.query.get(name) for name in (*PERIOD, *CREDIT)}
    return query | _empty(view, "group")


def _empty(view: View, name: str) -> dict[str, Any]:
    """The parameter whose empty value has a meaning, as a list: an empty text alone would be left out."""
    return {name: [""]} if view.query.get(name) == "" else {}


def _heading(view: View) -> str:
    """What the leads are, by the figure that the address names."""
    if promise := view.query.get("promise"):
        return f"Leads behind the promise {promise}"
    if measure := view.query.get("measure"):
        return f"Leads behind the measure {_plain(measure)}"
    return f"Leads: {_plain(view.query.get('stage', 'qualified'))}"


def _words(view: View, names: Sequence[str]) -> list[str]:
    """What narrows the list, in words."""
    unknown = [it for it in view.query.get("unknown", "").split(",") if it in funnel.GROUPS]
    named = [_word(it, view.query[it]) for it in names if view.query.get(it)]
    return [*filter(None, named), *(f"no {it}" for it in unknown)]


def _word(name: str, value: str) -> str:
    if name in WORDS:
        return WORDS[name].get(value, value)
    if name in {"promise", "measure"}:  # the heading has them
        return ""
    return f"{TITLES.get(name, name)} {_plain(value)}".lstrip()


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _choices(view: View) -> dict[str, tuple[str, bool]]:
    """The other parts of the figure: their addresses, and whether each is the one that is shown."""
    name = "promises" if view.query.get("promises") else "kept"
    if name == "kept" and not (view.query.get("promise") or view.query.get("measure")):
        return {}
    selected = view.query.get(name)
    return {
        title: (view.url(**{name: value}), value == selected)
        for title, value in CHOICES[name].items()
    }


def _back(view: View) -> str:
    """The address of the report that the list is behind; a list that was opened from elsewhere has its period."""
    report = view.query.get("report", "")
    if report.partition("?")[0] in REPORTS:
        return report
    return address(REPORTS[0], {name: view.query[name] for name in PERIOD if view.query.get(name)})


PAGES = (
    Page(
        path=LEADS_PATH,
        title="Leads behind a figure",
        template="alignment_leads.html",
        load=load_leads,
        scopes=READERS,
    ),
    Page(
        path=WINS_PATH,
        title="Wins behind a figure",
        template="alignment_wins.html",
        load=load_wins,
        scopes=READERS,
    ),
)
EXPORTS = (
    Export(
        f"{LEADS_PATH}.csv",
        lambda view: Source(Service.ALIGNMENT, LEADS, narrowed_leads(view)),
        scopes=READERS,
    ),
    Export(
        f"{WINS_PATH}.csv",
        lambda view: Source(Service.ALIGNMENT, WINS, narrowed_wins(view)),
        scopes=READERS,
    ),
)
