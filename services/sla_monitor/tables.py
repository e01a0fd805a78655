"""The tables of this service, in the schema `sla`."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.tables import NAMES

metadata = MetaData(schema="sla", naming_convention=NAMES)
