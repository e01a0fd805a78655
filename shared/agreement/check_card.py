"""Faults of the section `lead_card`: repeated questions and paths, and a consent that nothing tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.agreement.check_conditions import unknown
from shared.agreement.model import CardContents, ConsentSources, PageTopic, Question, TraitType
from shared.agreement.problem import Problem

Traits = dict[str, TraitType]


def card_problems(
    contents: CardContents, traits: Traits, known_traits: Sequence[str] | None
) -> Iterator[Problem]:
    """Every fault of the section; `known_traits` are all that are declared, or None where they cannot be read."""
    yield from _question_problems(contents.questions)
    yield from _topic_problems(contents.topics)
    if contents.consent is not None:
        yield from _consent_problems(contents.consent, traits, known_traits)


def _question_problems(questions: Sequence[Question]) -> Iterator[Problem]:
    fields = [it.field for it in questions]
    for index, field in enumerate(fields):
        if field in fields[:index]:
            message = f"`{field}` is in `questions` already; delete it"
            yield Problem(("lead_card", "questions", index, "field"), message)


def _topic_problems(topics: Sequence[PageTopic]) -> Iterator[Problem]:
    topic_of: dict[str, str] = {}
    for index, topic in enumerate(topics):
        for at, path in enumerate(topic.paths):
            if path in topic_of:
                message = f"`{path}` belongs to the topic `{topic_of[path]}` already; delete it"
                yield Problem(("lead_card", "topics", index, "paths", at), message)
            topic_of.setdefault(path, topic.id)


def _consent_problems(
    consent: ConsentSources, traits: Traits, known_traits: Sequence[str] | None
) -> Iterator[Problem]:
    if not (consent.trait or consent.granted_by or consent.withdrawn_by):
        message = "by what is it known? write `trait`, `granted_by` or `withdrawn_by`"
        yield Problem(("lead_card", "consent"), message)
    trait = consent.trait
    if trait is not None and known_traits is not None and trait not in known_traits:
        yield Problem(("lead_card", "consent", "trait"), unknown("trait", trait, known_traits))
    kind = traits.get(trait or "", TraitType.BOOLEAN)
    if kind is not TraitType.BOOLEAN:
        message = f"`{trait}` is a {kind}; declare it as `boolean`, or name a trait that is one"
        yield Problem(("lead_card", "consent", "trait"), message)
    for at, type_ in enumerate(consent.withdrawn_by):
        if type_ in consent.granted_by:
            message = f"`{type_}` gives consent already; delete it here or there"
            yield Problem(("lead_card", "consent", "withdrawn_by", at), message)
