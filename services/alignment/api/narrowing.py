"""The parameters of a request as conditions on the facts of what a figure counts."""

from __future__ import annotations

from dataclasses import replace

from services.alignment.api.figures import groups_in_population
from services.alignment.api.parameters import Parameters
from services.alignment.api.reading import Reading
from services.alignment.domain.conditions import condition_of, matching
from services.alignment.domain.groups import Groups, fields_read
from services.alignment.domain.measures import Measured, Subject
from services.alignment.queries.populations import Population
from services.alignment.queries.scopes import Scope
from services.alignment.queries.selection import Selection

_OWN_DATES = (Measured.ATTAINMENT, Measured.CAPACITY)
"""The measures of other things than the handoffs that qualified on some days."""
_Key = tuple[Scope, Measured | None, str | None]


class Narrowing:
    """The parameters of one request. A condition is evaluated for the groups of what each figure counts, and no others.

    So a campaign of years ago adds nothing to the work of a report on this month.
    """

    def __init__(self, reading: Reading, parameters: Parameters) -> None:
        """Raises BadCondition."""
        self._reading = reading
        self._facts = parameters.facts()
        self.condition = None if parameters.where is None else condition_of(parameters.where)
        self._groups: dict[_Key, Groups] = {}

    def filters(self, subject: Subject) -> Selection:
        """The conditions for a figure; raises BadCondition."""
        if self.condition is None:
            return self._facts
        population = Population(subject)
        own = subject.measure if subject.measure in _OWN_DATES else None
        key = (population.scope, own, subject.policy)
        if key not in self._groups:
            fields = fields_read([self.condition])
            groups = groups_in_population(self._reading, population, fields)
            self._groups[key] = matching(self.condition, fields, groups)
        return replace(self._facts, groups=self._groups[key], where=self.condition)
