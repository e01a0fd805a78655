"""An agreement with a fault is refused, with the line and column of the fault (▸) and how to mend it."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path as FilePath

import pytest

from shared.agreement.contexts import conditions
from shared.agreement.load import InvalidAgreement, parse, parse_published
from shared.documents import Document, Path
from tests.shared.agreement.builders import MARK, WHOLE, changed, marked

EXAMPLE = FilePath(__file__).parents[3] / "examples" / "agreement.yaml"


def refused(source: str) -> list[str]:
    with pytest.raises(InvalidAgreement) as caught:
        parse(source, name="a.yaml")
    return caught.value.message.split("\n")


def test_a_sound_agreement_is_read() -> None:
    assert parse(WHOLE) == parse_published(WHOLE)


def test_a_condition_is_named_by_where_it_stands() -> None:
    for agreement in (parse(WHOLE), parse_published(WHOLE)):
        assert [condition.rule for _, condition, _ in conditions(agreement)] == [
            "scoring.fit.big.when",
            "scoring.fit.home.when",
            "scoring.signals.page.when",
            "qualification.threshold.when",
            "qualification.suppress.customer.when",
            "qualification.tiers.hot.when",
            "qualification.tiers.standard.when",
            "routing.rules.near.when",
            "routing.rules.rest.when",
            "routing.rules.near.match",
            "sla.policies.answer.when",
        ]


def test_the_example_is_sound() -> None:
    agreement = parse(EXAMPLE.read_text(), name="agreement.yaml")
    assert {team.id for team in agreement.routing.teams} == {"inbound", "enterprise"}
    assert len(agreement.scoring.fit) > 5
    assert len(agreement.scoring.signals) > 7


ONES = f"[{', '.join('1' * 50)}]"
WHEN = 'lead.country == "DE"'


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("lead.employees > 5 &&▸", "the condition ends too early; close what is open"),
        ("(lead.employees > 5▸", "the condition ends too early"),
        ('lead.country ▸= "DE"', "`=` does not compare; write `==`"),
        ('lead.country == ▸"DE', "a text without its closing quote; close it"),
        ("lead.customer ▸& lead.customer", "`&` and `|` do not join conditions; write `&&` or `||`"),
        ("lead.customer ▸and lead.customer", "`and` is not known here; write `&&`"),
        ("not ▸lead.customer", "`not` is not known here; write `!`"),
        ("▸if lead.customer", "reserved identifier: if; a condition is CEL"),
        ("lead.employees >▸> 5", "extraneous input '>'; a condition is CEL"),
        ("has(▸true)", "has() argument must be a field selection"),
        ('▸lead.cuntry == "DE"', "unknown trait `cuntry`; did you mean `country`?"),
        ('▸lead.zzzzz == "DE"', "unknown trait `zzzzz`; declare it under `traits`"),
        ("has(▸lead.cuntry)", "unknown trait `cuntry`; did you mean `country`?"),
        ('lead.customer || lead.customer && ▸lead.cuntry == "x"', "unknown trait `cuntry`"),
        ('"ü-has(" == lead.country || ▸lead.cuntry == "x"', "unknown trait `cuntry`"),
        ("▸lead", "`lead` alone is no value; write one of its parts, such as lead.country"),
        ('▸lead["country"] == "DE"', "`lead` alone is no value"),
        ("▸laed.customer", "unknown name `laed`; did you mean `lead`?"),
        ("▸fit > 5", "unknown name `fit`; the names here are: lead"),
        ('▸event.type == "x"', "unknown name `event`; the names here are: lead"),
        ('lead.country.▸startswith("D")', "unknown function `startswith`; did you mean `startsWith`?"),
        ("▸foo(lead.country)", "unknown function `foo`; there are: contains, startsWith"),
        ("lead.country ▸> 5", "`>` does not go with text and a whole number; compare like with like"),
        ("lead.employees ▸+ 1 > 5", "`+` does not mix whole numbers and others; write 2.0 for 2"),
        ("lead.country ▸== null", "`==` with null never holds; write !has(…)"),
        ("lead.country ▸&& lead.customer", "`&&` joins conditions, not text and true or false"),
        ("▸!lead.country", "`!` joins conditions, not text; compare it with something"),
        ("lead.country▸.name == 1", "expression of type 'string' cannot be the operand of a select"),
        ("▸lead.country", "a condition is true or false, this is text; compare it with something"),
        ("▸lead.employees > 5 ? 1 : 2", "a condition is true or false, this is a whole number"),
        ("▸lead.tags", "a condition is true or false, this is a list"),
        ('lead.country.matches(▸"[D")', "invalid regular expression: missing ]: [D; mend the text"),
        ('matches(lead.country, ▸"(")', "invalid regular expression"),
        ('duration(▸"3x") > duration("1s")', "String to Duration conversion failed; mend the text"),
        ("▸1 / 0 > 0", "this fails whatever it is asked about: divide by zero; write it simpler"),
        ("▸lead.customer || [1].all(a, {1:2,1:3} == {})", "this fails whatever it is asked about: duplicate"),
        (f"▸lead.customer || {ONES}.all(a, {ONES}.all(b, {ONES} == {ONES}))", "this fails whatever it is asked"),
        ("▸" + "(" * 40 + "lead.customer" + ")" * 40, "brackets or operators are nested too deeply;"),
        ("▸1 > 2", "this never holds; mend the condition, or delete the rule"),
        ("▸false && lead.customer", "this never holds"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("style", ["plain", "folded", "literal", "single", "double"])
def test_a_faulty_condition_is_refused_at_the_faulty_character(
    condition: str, message: str, style: str
) -> None:
    source, position = marked(changed(f"when: {WHEN}", f"when: {as_yaml(condition, style)}"))
    [line] = refused(source)
    assert line.startswith(f"a.yaml:{position}: {message}")


def as_yaml(condition: str, style: str) -> str:
    """As YAML, over two lines where the style allows it."""
    broken = condition.replace(" ", "\n          ", 1)
    return {
        "plain": condition
        if condition.strip(MARK)[0] not in '"!' and ": " not in condition
        else f"|-\n          {condition}",
        "folded": f">-\n          {broken}",
        "literal": f"|\n          {broken}",
        "single": "'" + broken.replace("'", "''") + "'",
        "double": '"' + broken.replace('"', '\\"') + '"',
    }[style]


@pytest.mark.parametrize(
    "condition",
    [
        "lead.employees > 5 && 5.5 < lead.employees && lead.employees in [6, 7]",
        "lead.employees * 2.0 == 7",
        '!has(lead.country) || lead.tags.exists(tag, tag == "vip")',
        'lead.country.matches("^D") // a comment',
        "int(lead.employees) % 2 == 0",
        'lead.email.endsWith("@x.com") || lead.domain == lead.account',
        "lead.customer == true",
        'lead.customer // duration("3x")',
        'lead.country.matches("(" + lead.email + ")")',
        """lead.country == 'matches("[")'""",
    ],
)
def test_a_sound_condition_is_accepted(condition: str) -> None:
    parse(changed(f"when: {WHEN}", f"when: |\n        {condition}"))


def test_only_texts_that_a_tier_is_compared_with_must_be_tiers() -> None:
    parse(changed('when: tier == "hot"', 'when: \'tier.startsWith("h") && tier in ["hot"]\''))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("  country: string", "  country: ▸text", "`text` is not known here; write 'string', 'number'"),
        ("  country: string", "  ▸email: string\n  country: string", "`lead.email` is always there; take it out"),
        ("  country: string", "  country: string\n  ▸Bad: string", "`Bad` is not an id; write lower-case"),
        ("id: home", "id: ▸big", "`big` is in `fit` already; write another name"),
        ("id: mail", "id: ▸page", "`page` is in `signals` already"),
        ("[price]", "[price, ▸price]", "`price` is in `loss_reasons` already"),
        ("group: web", "group: ▸wob", "unknown group `wob`; did you mean `web`?"),
        ("[email, country]", "[email, ▸phone]", "unknown trait `phone`; there are: account, country"),
        ("calendar: office", "calendar: ▸shop", "unknown calendar `shop`; there are: office"),
        ("{id: rest, when: true, team: sales}", "{id: rest, when: true, team: ▸sale}", "unknown team `sale`"),
        ('tier == "hot"', 'tier == ▸"hat"', "unknown tier `hat`; did you mean `hot`?"),
        ('when: tier == "hot"', "when: 'tier in [\"hot\", ▸\"cold\"]'", "unknown tier `cold`; there are: hot"),
        ('tier == "hot"', 'team != ▸"x"', "unknown team `x`; there are: sales"),
        ("standard, when: true}", "standard, when: ▸fit > 1}", "the last of `tiers` must hold for every lead"),
        ("rest, when: true, team", "rest, when: ▸fit > 5, team", "the last of `rules` must hold for every lead"),
        (
            "hand_raised}\n    - {id: standard, when: true}",
            "true || fit > 1}\n    - {id: standard, when: ▸true}",
            "`standard` is never reached: `hot` before it always holds",
        ),
        ("hand_raised}", "fit > 1}\n    - {id: warm, when: ▸fit  >  1}", "`warm` is never reached: `hot` before"),
        ("reason: A customer}", "reason: A}\n    - {id: b, when: ▸lead.customer, reason: B}", "`b` is never reached"),
        ("scoring:\n", "scoring:\n  grades: {fit: ▸[50, 75, 25]}\n", "these bounds must fall and stay above 0"),
        ("rearm_below: 20", "rearm_below: ▸0", "engagement is never below 0"),
        ("then: reassign}", "then: reassign, wait: ▸30d}", "`no_time` gives the lead to another rep at once"),
        ("rearm_below: 20", "rearm_below: ▸101", "`101` is too large; write at most 100"),
        ("{when: fit >= 40", "{when: ▸foo >= 40", "unknown name `foo`; the names here are: lead, fit"),
        ("when: has(lead.country), team", "when: ▸likelihood > 0.5, team", "`likelihood` is not computed yet"),
        ("rep.territories", "▸rep.regions", "`rep` has no `regions`; it has: id, name, email, team, territories"),
        ("event.properties.path", "▸event.path_name", "`event` has no `path_name`; did you mean `path`?"),
        ("leadbaton: 1", "leadbaton: 1\n▸targets: 5", "unknown field `targets`; did you mean `target` of `sla.pol"),
        ("when: lead.employees > 50", "when: '▸lead.stage == \"won\"'", "`lead.stage` is not known where"),
        ("when: lead.employees > 50", "when: 'lead.employees > 5000 && ▸lead.employees < 100'",
         "`lead.employees > 5000` and `lead.employees < 100` never hold together"),
        ("when: fit >= 40", "when: ▸fit >= 450", "`fit >= 450` never holds: `fit` is from 0 to 100"),
        ("when: fit >= 40", "when: ▸likelihood > 0.5 || fit > 4", "`likelihood` is not computed yet"),
        ("on: page_viewed", "on: ▸Page Viewed", "no event has the type `Page Viewed`; it arrives as `page_viewed`"),
        ("qualification:", "qualification:\n  hand_raise: [▸Demo-Requested]", "no event has the type `Demo-Requested`"),
        ("target: 15m", "target: ▸0m", "a target of no time is never met"),
        ("target: 15m", "target: ▸15 minutes", "`15 minutes`: a duration is a number and a unit"),
        ("target: 15m", "target: 15m, warn_at: ▸1", "`1` is too large; write less than 1"),
        ("target: 15m", "target: 15m, warn_at: 0.5, warn_before: ▸5m", "a policy has `warn_at` or `warn_before`"),
        ("target: 15m", "target: 15m, warn_before: ▸15m", "this is before the clock starts"),
        ("kind: accept", "kind: ▸meeting", "by which contacts is it met?"),
        ("kind: accept", "kind: meeting, outcomes: [▸dinner]", "unknown outcome `dinner`"),
        (
            "kind: accept, scope: hop, anchor: assigned",
            "kind: ▸satisfaction, scope: hop, anchor: won",
            "by which contacts is it met?",
        ),
        ("kind: accept", "kind: accept, outcomes: ▸[]", "only promises of the kind `meeting` and"),
        ("kind: accept", "kind: accept, count: ▸3", "only promises of the kind `attempts` have `count`"),
        ("kind: accept", "kind: attempts, spread: ▸3d", "one attempt has no spread"),
        ("anchor: assigned", "anchor: ▸accepted", "`accept` is over when a handoff is accepted"),
        ("target: 15m", "target: 15m, ladder: [{after: 5m, notify: ops}, ▸{notify: ops}]", "a step before"),
        ("target: 15m", "target: 15m, ladder: [{after: 5m, notify: ops}, {after: ▸1m, notify: ops}]", "a step"),
        ("target: 15m", "target: 15m, ladder: [{before: 5m, notify: rep}, {before: ▸9m, notify: rep}]", "a step"),
        ("target: 15m", "target: 15m, ladder: [{notify: team}, {before: ▸5m, notify: rep}]", "a step"),
        ("target: 15m", "target: 15m, ladder: [{before: ▸15m, notify: rep}]", "this is before"),
        ("target: 15m", "target: 15m, ladder: [{before: 5m, after: ▸5m, notify: rep}]", "a step has"),
        ("target: 15m", "target: 15m, ladder: [{notify: ops, quiet_hours: ▸wait}]", "only messages"),
        ("target: 15m", "target: 15m, ladder: [▸{after: 5m}]", "a step notifies somebody or does something"),
        ("target: 15m", "target: 15m, ladder: [{notify: ops, do: ▸reassign}]", "a step notifies somebody"),
        ("target: 15m", "target: 15m, ladder: [{before: ▸5m, do: reassign}]", "nothing is done before a breach"),
        ("target: 15m", "target: 15m, ladder: [▸{do: set_unavailable}]", "`set_unavailable` needs a length"),
        ("target: 15m", "target: 15m, ladder: [{do: reassign, for: ▸1d}]", "`set_unavailable` needs a length"),
        ("scope: hop", "ladder: [{do: ▸reassign}], scope: journey", "only a promise of a rep who has not accepted"),
        ("points: 10", "points: ▸many", "`many` is not a number; write such as 10"),
        ("leadbaton: 1", "leadbaton: ▸2", "`2` is not known here; write 1"),
        ("when: lead.employees > 50", "when: ▸5", "`5` is not text; put it in quotes"),
        ("  reject_reasons", "  ▸reject_reason", "unknown field `reject_reason`; did you mean `reject_reasons`?"),
    ],
)  # fmt: skip
def test_contradictions_between_fields_are_refused_at_the_field(
    before: str, after: str, message: str
) -> None:
    source, position = marked(changed(before, after))
    [line] = refused(source)
    assert line.startswith(f"a.yaml:{position}: {message}")


PLANTED = {
    "sla.calendars[0].zone": ("Europe/Berlin", "Europe/Berln"),
    "qualification.threshold.rearm_below": ("rearm_below: 20", "rearm_below: 0"),
}


def test_a_part_that_cannot_be_read_hides_no_faults_elsewhere_and_causes_none() -> None:
    """Each part of the file in turn becomes something else; all faults are the planted ones, and near that part."""
    source = WHOLE
    for before, after in PLANTED.values():
        source = source.replace(before, after)
    wrong = cycle(["[[[]]]", "{zzz: 1}", "5"])
    for path, node in Document.of(source, name="a.yaml").tree.nodes.items():
        if not path or node.start_mark.line != node.end_mark.line:
            continue  # a block has no end of its own
        start, end = node.start_mark.index, node.end_mark.index
        with pytest.raises(InvalidAgreement) as caught:
            parse(source[:start] + next(wrong) + source[end:])
        faulty = {it.path for it in caught.value.faults}
        hidden = {
            it for it in PLANTED if it.startswith(dotted(path)) or dotted(path).startswith(it)
        }
        assert faulty >= PLANTED.keys() - hidden, path
        parent = dotted(path[:-1])
        assert {it for it in faulty - PLANTED.keys() if not it.startswith(parent)} == set(), path


def dotted(path: Path) -> str:
    """A path as faults have it."""
    return "".join(f"[{it}]" if isinstance(it, int) else f".{it}" for it in path).lstrip(".")


def test_a_missing_section_hides_no_faults_elsewhere() -> None:
    lines = refused(changed("routing:", "rooting:").replace("Europe/Berlin", "Europe/Berln"))
    assert [it.partition(": ")[2].partition(";")[0] for it in lines] == [
        "`routing` is missing",
        "unknown field `rooting`",
        "unknown zone `Europe/Berln`",
    ]


def test_a_trait_with_a_wrong_type_counts_as_declared() -> None:
    [line] = refused(changed("country: string", "country: text"))
    assert line.startswith("a.yaml:4:12: `text` is not known here")


def test_every_fault_of_a_file_is_reported_at_once() -> None:
    source = changed("team: sales, match", "team: sale, match").replace(
        "zone: Europe", "zone: Eurpe"
    )
    assert [line.split(":")[1] for line in refused(source)] == ["33", "40"]


def test_what_was_published_stays_readable_when_the_checks_grow() -> None:
    published = parse_published(changed("rearm_below: 20", "rearm_below: 0"))
    assert published.name == "Test"


def test_a_file_that_is_no_yaml_is_an_invalid_agreement() -> None:
    assert refused("a: [")[0].startswith("a.yaml:1:5: ")
