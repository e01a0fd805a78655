"""The pictures of the README are there, of the width that they are taken at, and not large."""

from __future__ import annotations

import re
from struct import unpack

import pytest

from tests.conftest import ROOT

MAX_BYTES = 200_000
WIDTH = 1_280
PICTURE = re.compile(r"!\[[^\]]+\]\((docs/pictures/[\w.-]+\.png)\)")
PICTURES = PICTURE.findall((ROOT / "README.md").read_text())


def test_the_readme_opens_with_the_board_and_a_leads_story() -> None:
    assert PICTURES == ["docs/pictures/board.png", "docs/pictures/story.png"]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_small_and_of_a_desktop(picture: str) -> None:
    content = (ROOT / picture).read_bytes()
    width, _ = unpack(">II", content[16:24])

    assert content.startswith(b"\x89PNG\r\n")
    assert (len(content) <= MAX_BYTES, width) == (True, WIDTH)
