"""Query parameters that are named more than once: FastAPI would take the last value and drop the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from types import UnionType
from typing import Any, Union, get_args, get_origin

from fastapi import Request
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel


async def refuse_repeated_parameters(request: Request) -> None:
    """Refuse the request if a parameter that is no list is named more than once; raises RequestValidationError.

    It is async because it waits for nothing: a plain function would take a thread for each request.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    repeated = {name: count for name, count in counts.items() if count > 1}
    if repeated:
        faults = [
            {
                "loc": ("query", name),
                "msg": f"it is named {count} times: name it once",
                "type": "repeated",
            }
            for name, count in repeated.items()
            if name not in _lists_of(request)
        ]
        if faults:
            raise RequestValidationError(faults)


def _lists_of(request: Request) -> set[str]:
    """The parameters of the request's route that are lists."""
    route: APIRoute = request.scope["route"]
    return {
        name
        for parameter in _query_parameters(route.dependant)
        for name, annotation in _names(parameter)
        if _is_list(annotation)
    }


def _query_parameters(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.query_params
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def _names(parameter: ModelField) -> Iterator[tuple[str, Any]]:
    """The names and types of a parameter, or of the fields of one that is a model of several."""
    annotation = parameter.field_info.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield field.alias or name, field.annotation
    else:
        yield parameter.alias, annotation


def _is_list(annotation: Any) -> bool:
    """Whether it is a list, or may be one."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return any(map(_is_list, get_args(annotation)))
    return isinstance(origin, type) and issubclass(origin, (Sequence, Set))
