"""The names of reps by their ids, for lists that hold only ids."""

from __future__ import annotations

from typing import Any

from services.console.apis import Apis, Gap, Service


async def rep_names(apis: Apis) -> dict[str, str]:
    """The name of each rep by id; of those that the visitor may see."""
    reps = await apis.get(Service.ROUTING, "/v1/reps")
    return {rep["id"]: rep["name"] for rep in reps["items"]}


def names_or_none(names: Any) -> dict[str, str]:
    """The names, or none where routing does not answer: a page then shows ids."""
    return {} if isinstance(names, Gap) else dict(names)
