"""The schema `routing`, which all tables of this service are in."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.tables import NAMES

metadata = MetaData(schema="routing", naming_convention=NAMES)
