# Every target makes what it needs, from nothing but Python 3.11 or later with venv and pip.
# PYTHON chooses that Python, ARGS goes to pytest: make unit ARGS="-k lookup"

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
ARGS ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -qq --constraint constraints/dev.txt
PYTEST_LOG := .pytest.log

# The package and what it needs; then the tools too; then what makes pages of the documentation.
PACKAGE := .venv/.package
TOOLS := .venv/.tools
SPHINX := .venv/.sphinx

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# What runs through a pipe is to be seen as it comes.
export PYTHONUNBUFFERED := 1

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(PACKAGE) ## watch a bot keep its user's choice, in front of embedded servers
	@$(BIN)/python examples/demo.py

.PHONY: demo-real
demo-real: servers ## the same in front of a real Synapse and a real Sydent
	@PYTHONPATH=. $(BIN)/python examples/demo.py --real
	@PYTHONPATH=. $(BIN)/python examples/lookup_demo.py --real

.PHONY: test
test: $(TOOLS) servers frameworks lint types contracts docs oldest suite ## everything that has to hold

.PHONY: lint
lint: $(TOOLS) ## style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(TOOLS) ## types, strictly
	@$(BIN)/python -m mypy

.PHONY: contracts
contracts: $(TOOLS) ## who may import whom
	@$(BIN)/lint-imports

.PHONY: docs
docs: $(SPHINX) ## the documentation as pages, in build/docs; a warning is an error
	@$(BIN)/python -m sphinx -E -W --keep-going -q -b html docs build/docs

# Pytest's last line once more at the end: it is what one looks for.
.PHONY: suite
suite: $(TOOLS) servers frameworks ## all tests, and that they reach every line and branch
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest $(ARGS) | tee $(PYTEST_LOG)
	@status=0; $(BIN)/python -m coverage report || status=$$?; tail -n 1 $(PYTEST_LOG); exit $$status

.PHONY: unit
unit: $(TOOLS) ## the tests that need no real servers
	@$(BIN)/python -m pytest --ignore=tests/real $(ARGS)

.PHONY: real
real: $(TOOLS) servers ## the tests against the real servers
	@$(BIN)/python -m pytest tests/real $(ARGS)

.PHONY: pictures
pictures: $(TOOLS) ## draw the pictures of the terminal anew; needs tmux
	@PYTHONPATH=. $(BIN)/python docs/draw_terminal.py

.PHONY: bench
bench: $(TOOLS) ## measure against the targets, and how cost grows; writes docs/proof
	@$(BIN)/python -m tests.bench

.PHONY: proof-page
proof-page: $(TOOLS) ## write docs/proof/index.md from what the proofs found here
	@$(BIN)/python -m tests.proof

.PHONY: soak
soak: $(TOOLS) ## the state machine for long, and 100,000 calls with 5 % faults: 15 minutes
	@$(BIN)/python -m tests.soak $(ARGS)

.PHONY: mutants
mutants: $(TOOLS) ## break the package in one place after the other: does a test notice each? (long)
	@$(BIN)/python -m tests.mutation $(ARGS)

.PHONY: servers
servers: $(PACKAGE) ## install Synapse and Sydent into .real
	@$(BIN)/python -m tests.real.servers.install

.PHONY: frameworks
frameworks: $(PACKAGE) ## install the frameworks of examples/frameworks, each into its own environment
	@$(BIN)/python -m tests.environments frameworks

# What the releases of the libraries can change. The tests wait half of their time: four at once.
OLDEST := tests/cli tests/client tests/endpoints tests/flows tests/preference tests/scenarios tests/test_base_url.py \
	tests/test_invite_link.py tests/test_mixin.py tests/test_pending_validation.py tests/test_phone.py \
	tests/test_signing.py tests/test_strict_json.py tests/test_threepid.py

.PHONY: oldest
oldest: $(TOOLS) ## a good part of the tests with the oldest releases that are promised
	@$(BIN)/python -m tests.environments oldest
	@.oldest/bin/python -m pytest -m "not real" --numprocesses 4 --quiet $(OLDEST) $(ARGS)

.PHONY: modes
modes: $(TOOLS) ## the tests that need no real servers under -X dev, asyncio debug, -O and -OO
	@$(BIN)/python -m tests.modes $(ARGS)

TIME ?= 60

.PHONY: fuzz
fuzz: $(TOOLS) ## fuzz each parser for TIME=60 seconds; ARGS=base_url for one of them
	@$(BIN)/python -m tests.environments fuzz
	@.fuzz/bin/python -m tests.fuzz --seconds $(TIME) $(ARGS)

.PHONY: clean
clean: ## remove everything that was made here
	@rm -rf .venv .real .frameworks .oldest .fuzz .node .proof .coverage .coverage.* $(PYTEST_LOG) build dist
	@rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -type d -name __pycache__ -prune -exec rm -rf {} +

$(PACKAGE): pyproject.toml constraints/dev.txt
	@echo "Installing the package and what it needs into .venv ..."
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(INSTALL) --editable .
	@touch $@

$(TOOLS): $(PACKAGE) constraints/tools.txt
	@echo "Installing the tools of the tests into .venv ..."
	@$(INSTALL) --requirement constraints/tools.txt
	@touch $@

$(SPHINX): $(PACKAGE) constraints/docs.txt
	@echo "Installing what makes pages of the documentation into .venv ..."
	@$(INSTALL) --requirement constraints/docs.txt
	@touch $@
