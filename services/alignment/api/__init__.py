"""Alignment over HTTP: the funnel, and the leads behind each figure of it."""

from __future__ import annotations

from fastapi import APIRouter

from services.alignment.api import funnel, leads

router = APIRouter(prefix="/v1", tags=["alignment"])
router.include_router(funnel.router)
router.include_router(leads.router)
