"""The tables of this service, in the schema `routing`."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.tables import NAMES

metadata = MetaData(schema="routing", naming_convention=NAMES)
