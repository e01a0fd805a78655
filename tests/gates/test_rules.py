"""Who may commit, read the clock and read settings; how long files are; which way imports point."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.gates.sources import PRODUCT, ROOT, Source, callers, faults

MAX_LINES = 300
MAX_LINES_OF_A_FUNCTION = 40

EDGES = (
    "services/cli/*",  # commands
    "services/demo/*",
    "services/*/main.py",
    "services/*/sweep.py",  # loops that claim, act and record
    "services/*/sweep/*",
    "services/*/delivery/*",
    "services/sla_monitor/recount.py",
    "services/alignment/counting.py",
    "services/*/delivery.py",
    "services/scoring/ingest/publishing.py",  # the outbox instead of Kafka
    "services/scoring/ingest/rejections.py",
    "shared/db/migrate.py",
    "shared/messaging/relay.py",
    "shared/messaging/lag.py",  # stores what it has measured
    "shared/http/dependencies.py",
    "shared/auth/key_cache.py",
    "shared/messaging/batch.py",
    "shared/messaging/consumer.py",
    "migrations/env.py",
)
"""Where a transaction may begin and end."""

READERS_OF_SETTINGS = (
    "services/cli/*",
    "services/demo/*",
    "services/*/main.py",
    "services/relay.py",
    "migrations/env.py",
)


def test_transactions_begin_and_end_at_the_edges_only() -> None:
    assert callers(r".*\.(commit|begin)", EDGES) == []


def test_only_one_module_reads_the_clock() -> None:
    clocks = r"(.*\.)?(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns)|utcnow)"
    assert callers(clocks, ("shared/clock.py",)) == []


def test_only_mains_and_commands_read_settings() -> None:
    assert callers(r"(.*\.)?Settings", READERS_OF_SETTINGS) == []


def test_the_rules_find_what_they_forbid() -> None:
    """A gate that never closes is none: with nobody allowed, each rule finds its places."""
    assert callers(r".*\.(commit|begin)", ())
    assert callers(r"(.*\.)?(datetime\.now)", ())
    assert callers(r"(.*\.)?Settings", ())


def too_long(source: Source) -> Iterator[str]:
    """The file, and functions in it, that are too long to be read."""
    lines = source.text.count("\n")
    if lines > MAX_LINES:
        yield f"{source.path}: {lines} lines: make it a folder of the same name"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > MAX_LINES_OF_A_FUNCTION:
                yield f"{source.path}:{node.lineno}: {node.name} has {lines} lines"


def badly_opened(source: Source) -> Iterator[str]:
    """What a module lacks at its beginning."""
    if not ast.get_docstring(source.tree):
        yield f"{source.path}: the first line says what the module holds"
    if len(source.tree.body) > 1 and "from __future__ import annotations" not in source.text:
        yield f"{source.path}: from __future__ import annotations"


def silenced(source: Source) -> Iterator[str]:
    """Types that are ignored and branches that go uncounted; in a test also what is patched, and who sleeps."""
    for marker in re.findall(r"#\s*type:\s*ignore|#\s*pragma:\s*no ?cover", source.text):
        yield f"{source.path}: {marker}"
    if source.path.startswith("tests"):
        for line, name in source.calls():
            if name in {"time.sleep", "sleep", "patch", "Mock"}:
                yield f"{source.path}:{line}: {name}"


def test_files_and_functions_stay_small_enough_to_read() -> None:
    assert faults(too_long, but=("migrations/versions/*",)) == []


def test_a_module_opens_with_what_it_holds() -> None:
    assert faults(badly_opened) == []


def test_nobody_is_silenced() -> None:
    """No type is ignored, no branch goes uncounted, nothing is patched, nobody sleeps in a test."""
    assert faults(silenced) == []


def test_the_rules_for_each_file_find_what_they_forbid() -> None:
    text = "def f():\n" + "    sleep(1)\n" * MAX_LINES + "x = 1  # type: " + "ignore\n"
    bad = Source("tests/bad.py", text, ast.parse(text))

    assert len(list(too_long(bad))) == 2
    assert len(list(badly_opened(bad))) == 2
    assert len(list(silenced(bad))) == 1 + MAX_LINES


def test_the_lint_configuration_names_every_service() -> None:
    """A new service is in the contracts, or the contracts say nothing of it."""
    contracts = (ROOT / "pyproject.toml").read_text()
    services = {path.parent.name for path in (ROOT / "services").glob("*/tables*")}
    assert {it for it in services if f'containers = ["services.{it}"]' not in contracts} == set()


VIOLATIONS = {
    "services/scoring/domain/score.py": "import services.routing.domain\nimport time\nimport pathlib",
    "shared/clock.py": "import services.relay",
    "shared/kafka/config.py": "import shared.messaging.outbox",
    "services/relay.py": "import services.cli\nimport kafka",
    "services/scoring/queries/__init__.py": "import services.scoring.handlers",
    "services/routing/queries/__init__.py": "import services.routing.handlers",
    "services/sla_monitor/queries/__init__.py": "import services.sla_monitor.handlers",
    "services/routing/handlers/__init__.py": "import services.routing.tables",
    "services/alignment/queries/__init__.py": "import services.alignment.handlers",
    "services/console/apis.py": "import services.console.main\nimport sqlalchemy",
}
"""For each contract on imports, something that breaks it."""


def test_every_contract_on_imports_can_be_broken(tmp_path: Path) -> None:
    for folder in PRODUCT:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, crime in VIOLATIONS.items():
        with (tmp_path / path).open("a") as file:
            file.write(f"\n{crime}\n")

    report = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert f"Contracts: 0 kept, {len(contracts['contracts'])} broken." in report.stdout, (
        report.stdout
    )


def test_no_address_of_a_package_registry_is_written_down() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    hosts = re.compile(
        "|".join(["py" + "pi.org", "python" + "hosted", "repo1?.maven", "npm" + "js"])
    )
    names = [
        name
        for name in listed
        if name
        and (ROOT / name).is_file()
        and hosts.search((ROOT / name).read_text(errors="replace"))
    ]
    assert names == []
