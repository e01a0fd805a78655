"""An agreement as text, with positions that a test marks."""

from __future__ import annotations

WHOLE = """\
leadbaton: 1
name: Test
traits:
  country: string
  employees: number
  customer: boolean
  tags: list
scoring:
  fit:
    - {id: big, points: 10, when: lead.employees > 50}
    - id: home
      points: 5
      when: lead.country == "DE"
  signals:
    - id: page
      on: page_viewed
      points: 5
      when: event.properties.path == "/pricing"
      group: web
    - {id: mail, on: email_clicked, points: 1}
  groups: {web: {max: 20}}
qualification:
  threshold: {when: fit >= 40, rearm_below: 20}
  require: [email, country]
  suppress:
    - {id: customer, when: lead.customer, reason: A customer}
  tiers:
    - {id: hot, when: hand_raised}
    - {id: standard, when: true}
routing:
  teams: [{id: sales, calendar: office}]
  rules:
    - {id: near, when: has(lead.country), team: sales, match: lead.country in rep.territories}
    - {id: rest, when: true, team: sales}
  reject_reasons: [{id: no_time, then: reassign}]
  loss_reasons: [price]
sla:
  calendars:
    - id: office
      zone: Europe/Berlin
      hours: {mon: ["09:00-17:00"]}
      holidays: DE
  policies:
    - {id: answer, kind: accept, scope: hop, anchor: assigned, target: 15m, when: tier == "hot"}
"""

MARK = "▸"


def changed(before: str, after: str) -> str:
    """The whole agreement with one piece, which must be there once, replaced."""
    assert WHOLE.count(before) == 1, before
    return WHOLE.replace(before, after)


def marked(text: str) -> tuple[str, str]:
    """The text without its mark, and the mark's `line:column`."""
    before, mark, after = text.partition(MARK)
    assert mark, text
    return before + after, f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
