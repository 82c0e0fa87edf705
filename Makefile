# Everything a developer runs. `make` alone lists the targets.
# Settings: PYTHON (interpreter for .venv), SEEDS (simulation; TEST_SEEDS within `make test`), FRAMES and CASES (fuzz),
# UPGRADE=--upgrade (lock), JOBS (rings of `make test` at a time).

SHELL := /bin/sh
PYTHON ?=
SEEDS ?= 20
TEST_SEEDS ?= 6
FRAMES ?= 10000
CASES ?= 2
UPGRADE ?=
JOBS ?= 3

BIN := .venv/bin
SOURCES := $(wildcard src tests bench)
# The examples are typed by clients that .venv does not hold.
STYLED := $(SOURCES) $(wildcard examples)
# The longest first; much of theirs is waiting.
RINGS := check demos sim unit kill replays wire clients golden fuzz bench-smoke
# Where make can hold a ring's output back until it is done, rings do not talk into each other.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

# Runs a ring's tests; a ring without tests yet says so and passes.
define ring
@echo "== $@"
@if [ -n "$$(find $(1) -name 'test_*.py' 2>/dev/null)" ]; then $(2) $(BIN)/pytest $(1); \
	else echo "$(1) holds no tests yet"; fi
endef

.DEFAULT_GOAL := help
.PHONY: help .venv demo test check unit wire clients golden sim demos replays kill fuzz bench bench-smoke \
	format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[.a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv: .venv/stamp ## Install the locked packages and the project into .venv

.venv/stamp: requirements-dev.txt tools/uv.txt tools/install pyproject.toml
	@tools/install $(PYTHON)

demo: .venv/stamp ## Run the demonstration
	@$(BIN)/fairstrike demo

test: .venv/stamp ## Run every ring, three at a time; stop at the first failure
	@echo "make test: $(RINGS); $(JOBS) at a time, each is shown when it is done"
	@$(MAKE) --no-print-directory --jobs=$(JOBS) $(SYNC) SEEDS=$(TEST_SEEDS) $(RINGS)
	@echo "make test: every ring passed"

check: .venv/stamp ## Format, lint, types, import rules, tidiness
	@echo "== $@"
	$(BIN)/ruff format --check --quiet $(STYLED)
	$(BIN)/ruff check --quiet $(STYLED)
	$(BIN)/mypy --no-error-summary $(SOURCES)
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/pytest tests/test_tidy.py

unit: .venv/stamp ## Unit tests, one folder per room
	$(call ring,tests/unit)

wire: .venv/stamp ## Real frames and what they mean; the box against the published interface
	$(call ring,tests/wire)

clients: .venv/stamp ## Clients that are not ours trade on the box (made in .venv-clients when missing)
	$(call ring,tests/clients)

golden: .venv/stamp ## Golden tapes and the digest of their decisions
	$(call ring,tests/golden)

sim: .venv/stamp ## Seeded worlds with faults (SEEDS=20)
	$(call ring,tests/simulation,FAIRSTRIKE_SEEDS=$(SEEDS))

demos: .venv/stamp ## Two demonstrations over real sockets
	$(call ring,tests/sockets)

replays: .venv/stamp ## Two recorded captures, replayed
	$(call ring,tests/replay)

kill: .venv/stamp ## The trader is killed and comes back
	$(call ring,tests/kill)

fuzz: .venv/stamp ## Broken frames and requests, at either end (FRAMES=10000 CASES=2)
	$(call ring,tests/fuzz,FAIRSTRIKE_FRAMES=$(FRAMES) FAIRSTRIKE_CASES=$(CASES))

bench: .venv/stamp ## Measure, side by side
	@$(BIN)/python -m bench

bench-smoke: .venv/stamp ## Each measurement once, small
	@echo "== $@"
	@if [ -f bench/__main__.py ]; then $(BIN)/python -m bench --smoke; \
		else echo "bench holds no measurements yet"; fi

format: .venv/stamp ## Format the code and apply the safe lint fixes
	$(BIN)/ruff format $(STYLED)
	$(BIN)/ruff check --fix $(STYLED)

COMPILE := UV_PYTHON_DOWNLOADS=never UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile \
	--quiet --universal --python-version 3.11 --only-binary :all: --generate-hashes \
	--no-emit-index-url --no-emit-find-links $(UPGRADE)

lock: .venv/stamp ## Write the lock files anew (UPGRADE=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml --output-file requirements.txt >/dev/null
	$(COMPILE) pyproject.toml --group dev --constraints requirements.txt \
		--output-file requirements-dev.txt >/dev/null
	echo uv | $(COMPILE) - --no-annotate --output-file tools/uv.txt >/dev/null

clean: ## Remove .venv, .venv-clients and every cache
	rm -rf .venv .venv-clients .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests $(wildcard bench examples) -name __pycache__ -type d -prune -exec rm -rf {} +
