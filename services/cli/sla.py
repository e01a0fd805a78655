"""`leadbaton sla`: the SLA monitor's processes, and the tasks of people who look after promises."""

from __future__ import annotations

from services.cli.applications import apply, end
from services.cli.calendars import calendar
from services.cli.explanations import explain
from services.cli.processes import service_commands

app = service_commands("sla", calendar, explain, apply, end)
