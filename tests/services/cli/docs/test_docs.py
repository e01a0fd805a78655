"""The references are what the code says, and the documents' links lead somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer import Context
from typer.main import get_group

from services.cli import app
from services.cli.docs import OutOfDate, check, current, fill, generate
from services.cli.docs.tables import errors, table
from shared.process.settings import Settings

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(DOCS.rglob("*.md"))]
CALL = re.compile(r"\b(GET|POST) (/v1/[\w/{}-]+)")
COMMAND = re.compile(r"(?:`|^)leadbaton((?: [a-z]+)+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


def test_the_references_are_current() -> None:
    check(DOCS)


def test_generating_mends_what_is_out_of_date(tmp_path: Path) -> None:
    docs = shutil.copytree(DOCS, tmp_path / "docs")
    (docs / "asyncapi.yaml").write_text("asyncapi: 2.0.0\n")
    (docs / "openapi" / "sla.json").unlink()
    with pytest.raises(OutOfDate, match=r"openapi/sla\.json, asyncapi\.yaml"):
        check(docs)

    generate(docs)

    for name in ("asyncapi.yaml", "openapi/sla.json", "operations.md"):
        assert (docs / name).read_text() == (DOCS / name).read_text()


def test_a_document_without_a_part_for_a_generated_table_is_an_error() -> None:
    with pytest.raises(OutOfDate, match="no part 'codes'"):
        fill("# Troubleshooting\n", {"codes": "| code |\n"})


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("x | y",)]) == "| a |\n| --- |\n| x \\| y |\n"


def test_every_error_code_is_documented() -> None:
    page = (DOCS / "troubleshooting.md").read_text()

    assert [it.code for it in errors() if f"| `{it.code}` |" not in page] == []


def test_every_setting_is_documented() -> None:
    page = (DOCS / "operations.md").read_text()

    for name in Settings.model_fields:
        assert f"| `LEADBATON_{name.upper()}` |" in page


def test_every_topic_has_a_channel_dead_letters_and_all_readers() -> None:
    document = current(DOCS)["asyncapi.yaml"]

    for name in (
        "marketing.events",
        "leads.known",
        "leads.qualified",
        "leads.touched",
        "leads.merged",
        "handoffs.changed",
        "sla.changed",
        "campaigns.counted",
    ):
        assert f"\n  {name}:\n" in document
        assert f"\n  {name}.dead:\n" in document
    assert "leadbaton.scoring.reads.handoffs.changed" in document


@pytest.mark.parametrize("page", PAGES, ids=lambda it: str(it.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        if target.startswith("http"):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in _anchors(file), f"{target}{anchor} is no heading"


def test_every_call_that_a_page_speaks_of_can_be_made() -> None:
    served = {
        (method.upper(), _plain(path))
        for api in (DOCS / "openapi").glob("*.json")
        for path, methods in orjson.loads(api.read_bytes())["paths"].items()
        for method in methods
    }
    commands = {
        (method, _plain(path)) for page in PAGES for method, path in CALL.findall(page.read_text())
    }

    assert commands - served == set()
    assert len(commands) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda it: str(it.relative_to(ROOT)))
def test_every_command_that_a_page_speaks_of_is_there(page: Path) -> None:
    for words in COMMAND.findall(page.read_text()):
        group: Any = get_group(app)
        for word in words.split():
            if not hasattr(group, "commands"):
                break  # what follows is an argument
            _, group, _ = group.resolve_command(Context(group), [word])


def _plain(path: str) -> str:
    """The path, whatever its ids are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", it.lower()).replace(" ", "-") for it in headings}
