"""The schema in which the tables of this service are."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.tables import NAMES

metadata = MetaData(schema="alignment", naming_convention=NAMES)
