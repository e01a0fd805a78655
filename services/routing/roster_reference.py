"""The reference of the file of reps in Markdown, made from its model."""

from __future__ import annotations

from services.routing.roster_file import RosterFile
from shared.documents.reference import sections

_HEAD = """\
# The file of reps, field by field

One YAML file says who gets leads, how many, and where they are notified;
[examples/reps.yaml](../examples/reps.yaml) is an example. `leadbaton reps check FILE` shows every fault with line and
column, `leadbaton reps import FILE` makes it the roster: reps who are missing in it become inactive, endpoints that are
missing stay as they are; `--dry-run` shows what would change, and `leadbaton reps export` prints the roster as such a
file. Tables of Excel are read too: [operations](operations.md#the-roster-and-accounts-as-files). A field that is not on
this page is a fault.

YAML is read as version 1.2 reads it: `on`, `yes` and `NO` are text. Aliases, tags and repeated keys are faults. Every
field has a bound, shown beside it: characters of a text, entries of a list. Teams and calendars are those of the
[agreement](agreement.md).

For editors: `leadbaton reps schema` prints the JSON Schema of the file, which is [schemas/reps.json](schemas/reps.json)
too. With the line `# yaml-language-server: $schema=…` at its top an editor completes and checks the file.
"""


def reference() -> str:
    """The page."""
    return "\n".join([_HEAD, *sections(RosterFile)])
