"""The names of reps by their ids, for lists that hold only ids."""

from __future__ import annotations

from typing import Any

from services.console.apis import Gap

REPS = "/v1/reps/names"
"""The path of routing that names the reps whom the visitor may see."""


def names_of(reps: Any) -> dict[str, str]:
    """The name of each rep of routing's list by id; none where routing does not answer: a page then shows ids."""
    return {} if isinstance(reps, Gap) else {rep["id"]: rep["name"] for rep in reps["items"]}
