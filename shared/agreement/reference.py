"""The reference of the agreement in Markdown, made from its models."""

from __future__ import annotations

from collections.abc import Iterator

from shared.agreement.channels import BUILT_IN
from shared.agreement.contexts import condition_fields, lead_names
from shared.agreement.model import Agreement
from shared.documents.reference import sections

_HEAD = """\
# The agreement, field by field

One YAML file says what marketing and sales promised each other; [examples/agreement.yaml](../examples/agreement.yaml)
is an example. `leadbaton agreement check FILE` shows every fault with line and column, `leadbaton agreement publish
FILE` makes it the version in force. Published versions never change. A field that is not on this page is a fault.

YAML is read as version 1.2 reads it: `on`, `yes` and `NO` are text. Aliases, tags and repeated keys are faults.
Durations are a number and a unit: `90s`, `15m`, `4h`, `30d`. Every field has a bound, shown beside it: characters of a
text, entries of a list or mapping. A condition has at most 2,000 characters. A version that was published before
a bound was introduced stays in force; its numbers beyond the bound count as the bound.

For editors: `leadbaton agreement schema` prints the JSON Schema of the file, which is
[schemas/agreement.json](schemas/agreement.json) too. With the line `# yaml-language-server: $schema=…` at its top an
editor completes and checks the file.

## Conditions

`when` and `match` are [CEL](https://cel.dev) and are checked when the file is: names, types, patterns. At run time a
condition that reads a missing value, or one of another kind, is **false**, never an error; so is its negation.
`has(lead.x)` asks whether a value is there. `a || b` is true as soon as one side is, whatever the other side lacks.
A condition is also false when its evaluation fails in any other way, or would be more than about 50 ms of work (a list
read again for each element of a list, a long pattern matched against a long text). Such failures are counted by rule in
the metric `leadbaton_condition_failures_total`, and `leadbaton doctor` shows it.

- Declared numbers compare with whole and other numbers (`lead.employees > 5`). For arithmetic write `2.0`, not `2`.
- Values are converted to the declared type: `"70"` to a number, `"true"` to a boolean, `5` to text, one text to a list
  of one. A value that cannot be converted, and blank text, count as missing.
- Properties of events are as they were sent. `event.path` is the path of the event's page without query, fragment and
  a slash at its end, however the sender writes `properties.path` (or `url`, or `context.page`): write
  `event.path == "/pricing"`. `event.url` has its host in lower case.
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD + "\n".join(_contexts()), "", *sections(Agreement), *_channels()])


def _contexts() -> Iterator[str]:
    fields = condition_fields((("lead.<trait>", "as declared"), *lead_names({})))
    yield "| where | names that it may read |"
    yield "|---|---|"
    for section, part, field, names in fields:
        roots = dict.fromkeys(name.partition(".")[0] for name, _ in names)
        name = f"{section}.{part}" if part else section
        yield f"| `{name}`, `{field}` | {', '.join(f'`{it}`' for it in roots)} |"
    yield "\n| name | is |"
    yield "|---|---|"
    for name, kind in {name: kind for *_, names in fields for name, kind in names}.items():
        yield f"| `{name}` | {_CEL.get(kind, kind)} |"


def _channels() -> Iterator[str]:
    yield _CHANNELS_HEAD
    yield "| `utm_medium` | `utm_source` | referrer | type of event | channel |"
    yield "|---|---|---|---|---|"
    for rule in BUILT_IN:
        cells = (rule.mediums, rule.sources, rule.referrers, rule.types)
        yield f"| {' | '.join(', '.join(it) for it in cells)} | `{rule.channel}` |"
    yield ""


_CHANNELS_HEAD = """\
## Channels

A *touch* is an event of a person that names a campaign (`context.campaign`, or `utm_…` of the page), that another site
led to, or whose type is in this table or in `qualification.hand_raise`. Its channel is that of the first rule that
holds: first by medium and source, then by the referrer (the most specific host), then by the type. In each of these
the rules of the section `channels` come before the table. A page of another site that no rule names is `referral`, a
campaign that no rule names is `other`. Opened, delivered and bounced mails are never touches, nor is anything that a
robot did. A touch keeps the channel that it had by the agreement in force when the event was added.
"""

_CEL = {
    "string": "text",
    "double": "number",
    "bool": "true or false",
    "list<string>": "list",
    "map<string, dyn>": "mapping",
}
