"""The agreement as a value: what qualifies, who gets it, how fast it is answered."""

from __future__ import annotations

from shared.agreement.model.agreement import Agreement, TraitType
from shared.agreement.model.base import Id, Label, Section
from shared.agreement.model.calendar import Calendar, Override, Weekday, Window
from shared.agreement.model.qualification import Qualification, Suppression, Threshold, Tier
from shared.agreement.model.routing import RejectReason, Routing, RoutingRule, Strategy, Team
from shared.agreement.model.scoring import FitRule, Grades, Group, Scoring, Signal
from shared.agreement.model.sla import Anchor, Policy, Sla, Step

__all__ = [
    "Agreement",
    "Anchor",
    "Calendar",
    "FitRule",
    "Grades",
    "Group",
    "Id",
    "Label",
    "Override",
    "Policy",
    "Qualification",
    "RejectReason",
    "Routing",
    "RoutingRule",
    "Scoring",
    "Section",
    "Signal",
    "Sla",
    "Step",
    "Strategy",
    "Suppression",
    "Team",
    "Threshold",
    "Tier",
    "TraitType",
    "Weekday",
    "Window",
]
