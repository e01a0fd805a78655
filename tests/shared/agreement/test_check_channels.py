"""Rules of channels are refused at the field where they name nothing that can come."""

from __future__ import annotations

import pytest

from shared.agreement.load import InvalidAgreement, parse
from tests.shared.agreement.builders import WHOLE, marked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[▸{channel: fairs}]", "by what is it known? write `mediums`, `sources`, `referrers` or"),
        ("[{channel: fairs, types: [▸email_opened]}]", "`email_opened` is never a touch, since"),
        ("[{channel: fairs, types: [▸Badge Scanned]}]", "no event has the type `Badge Scanned`; it arrives as"),
        ("[{channel: a, mediums: [x]}, {channel: ▸Fairs!, types: [scanned]}]", "`Fairs!` is not an id"),
        ("[{channel: fairs, referrers: [▸'https://x.example/a']}]", "`https://x.example/a` is not a host; write"),
        ("[{channel: fairs, referrers: [▸'*']}]", "`*` is not a host; write such as partner.example"),
        ("[{channel: fairs, mediums: ▸cpc}]", "`cpc` is not a list"),
        ("[{channel: fairs, mediums: [▸'']}]", "`` is empty"),
        ("[{channel: fairs, types: [a], ▸medium: [cpc]}]", "unknown field `medium`; did you mean `mediums`?"),
        (f"[{{channel: fairs, sources: [▸{'x' * 201}]}}]", f"`{'x' * 60}…`: 201 characters are more"),
        (f"▸[{', '.join(['{channel: a, types: [b]}'] * 101)}]", "a list: 101 entries are more than the 100"),
    ],
)  # fmt: skip
def test_faults_of_channels_are_refused_at_the_field(text: str, message: str) -> None:
    source, position = marked(f"{WHOLE}channels: {text}\n")

    with pytest.raises(InvalidAgreement) as refused:
        parse(source, name="a.yaml")

    [line] = refused.value.message.splitlines()
    assert line.startswith(f"a.yaml:{position}: {message}")


def test_channels_are_optional_and_read_as_they_are_written() -> None:
    rules = "[{channel: partners, mediums: [co-sell], referrers: [partner.example, 'hub.*']}]"

    [rule] = parse(f"{WHOLE}channels: {rules}\n").channels

    assert (rule.channel, rule.mediums, rule.sources) == ("partners", ("co-sell",), ())
    assert rule.referrers == ("partner.example", "hub.*")
    assert parse(WHOLE).channels == ()
