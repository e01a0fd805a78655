"""The tables of this service, in the schema `scoring`."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.db.tables import NAMES

metadata = MetaData(schema="scoring", naming_convention=NAMES)
