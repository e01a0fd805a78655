"""The agreement as a value, one file a section."""

from __future__ import annotations

from shared.agreement.model.agreement import Agreement, TraitType
from shared.agreement.model.base import Id, Label, Section
from shared.agreement.model.calendar import Calendar, Override, Weekday, Window
from shared.agreement.model.card import CardContents, ConsentSources, PageTopic, Question
from shared.agreement.model.channels import ChannelRule
from shared.agreement.model.money import Attribution, AttributionModel, LeadValue, Money, Quota
from shared.agreement.model.personas import Persona
from shared.agreement.model.promises import Effective, Measure, Parties, Party, Promise, Promises
from shared.agreement.model.qualification import (
    Qualification,
    Recycle,
    Suppression,
    Threshold,
    Tier,
)
from shared.agreement.model.routing import (
    ContactOutcome,
    PauseReason,
    RejectReason,
    Routing,
    RoutingRule,
    Strategy,
    Team,
)
from shared.agreement.model.scoring import FitRule, Grades, Group, Scoring, Signal
from shared.agreement.model.sla import Anchor, EscalationStep, Policy, Sla

__all__ = [
    "Agreement",
    "Anchor",
    "Attribution",
    "AttributionModel",
    "Calendar",
    "CardContents",
    "ChannelRule",
    "ConsentSources",
    "ContactOutcome",
    "Effective",
    "EscalationStep",
    "FitRule",
    "Grades",
    "Group",
    "Id",
    "Label",
    "LeadValue",
    "Measure",
    "Money",
    "Override",
    "PageTopic",
    "Parties",
    "Party",
    "PauseReason",
    "Persona",
    "Policy",
    "Promise",
    "Promises",
    "Qualification",
    "Question",
    "Quota",
    "Recycle",
    "RejectReason",
    "Routing",
    "RoutingRule",
    "Scoring",
    "Section",
    "Signal",
    "Sla",
    "Strategy",
    "Suppression",
    "Team",
    "Threshold",
    "Tier",
    "TraitType",
    "Weekday",
    "Window",
]
