"""JSON Schemas of files, for editors that check and complete YAML."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

_ISO_DURATION = re.compile(r"P\d*D?(T.*)?")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of files with this model; defaults are left out where files write them in another form."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": DIALECT, **_without_foreign_defaults(schema)}


def _without_foreign_defaults(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_foreign_defaults(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    default = schema.get("default")
    is_foreign = isinstance(default, dict | list) or _ISO_DURATION.fullmatch(str(default))
    return {
        name: _without_foreign_defaults(it)
        for name, it in schema.items()
        if name != "default" or not is_foreign
    }
