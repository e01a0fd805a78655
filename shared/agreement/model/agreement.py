"""The agreement as a file: its sections, and the traits that it declares."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.agreement.model.base import Id, Label, Section
from shared.agreement.model.card import CardContents
from shared.agreement.model.channels import ChannelRule
from shared.agreement.model.money import Attribution, Money
from shared.agreement.model.personas import Persona
from shared.agreement.model.promises import Parties, Promises
from shared.agreement.model.qualification import Qualification
from shared.agreement.model.routing import Routing
from shared.agreement.model.scoring import Scoring
from shared.agreement.model.sla import Sla
from shared.documents.limits import AtMost


class TraitType(StrEnum):
    """The type of a trait; strings that look like numbers are numbers where a number is declared."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    LIST = "list"


class Agreement(Section):
    """What marketing and sales promised each other, in one file."""

    leadbaton: Literal[1] = Field(description="The version of the file format.")
    name: Label = Field(min_length=1, description="A name for people to read.")
    traits: Annotated[dict[Id, TraitType], AtMost(500)] = Field(
        default_factory=dict,
        description="What marketing promises to send; conditions can read no others.",
    )
    scoring: Scoring = Field(description="How fit and engagement are counted.")
    qualification: Qualification = Field(description="When a lead goes to sales.")
    routing: Routing = Field(description="Which team and rep get a qualified lead.")
    sla: Sla = Field(description="How fast a handoff is answered.")
    personas: Annotated[tuple[Persona, ...], AtMost(50)] = Field(
        default=(),
        description="Kinds of people; conditions read the id of the first that holds as `persona`, which is empty "
        "where none does.",
    )
    channels: Annotated[tuple[ChannelRule, ...], AtMost(100)] = Field(
        default=(),
        description="How channels are told apart, before the built-in table: first by what the campaign names, then "
        "by the referrer, then by the type of the event; of each the first rule that holds.",
    )
    lead_card: CardContents = Field(
        default=CardContents(),
        description="What a rep reads about a lead besides its scores and traits.",
    )
    parties: Parties | None = Field(default=None, description="Who agreed.")
    promises: Promises = Field(
        default=Promises(), description="What both sides promised, and how it is measured."
    )
    money: Money | None = Field(default=None, description="What leads are worth.")
    attribution: Attribution = Field(
        default=Attribution(), description="Which touches are credited with a win."
    )
