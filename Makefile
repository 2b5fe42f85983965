# Holiday Peak Hub backend. `make` or `make help` says what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
CODE := handlers infra tests

##@ Begin
.PHONY: help setup run demo import
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

setup: $(VENV)/dev.stamp ## Install everything for development into .venv (hash-checked)

run: $(VENV)/run.stamp ## Start the API with demo data on http://127.0.0.1:8000 (Ctrl-C ends it)
	@$(PY) -m infra.local.run

demo: $(VENV)/run.stamp ## Play a shopper's journey through the running shop, from signup to a delivered and a cancelled order
	@$(PY) -m infra.local.journey

import: $(VENV)/run.stamp ## Add the products of a feed: make import FILE=feed.csv (or .jsonl)
	@ENV=$${ENV:-local} $(PY) -m infra.local.import_feed "$(FILE)"

##@ Contract
.PHONY: generate lint contract-diff
generate: $(VENV)/dev.stamp ## Write generated/ from openapi/ and asyncapi/
	@$(PY) -m infra.contract.generate

lint: $(VENV)/dev.stamp ## Check the contract documents against the house rules
	@$(PY) -m infra.contract.lint

contract-diff: $(VENV)/dev.stamp ## Compare the contract with the last release; fails on a breaking change
	@$(PY) -m infra.contract.diff --require

##@ Prove
.PHONY: check test test-azure fuzz flows bench
check: $(VENV)/dev.stamp ## Format, lint, types, contract, drift of generated/, import rules, dead code
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/vulture
	@$(PY) -m infra.contract.lint
	@$(PY) -m infra.contract.generate --check
	@$(PY) -m infra.contract.diff --require
	@$(PY) -m infra.contract.progress

test: $(VENV)/dev.stamp ## Install, check, and run every test with branch coverage
	@$(MAKE) --no-print-directory check
	@infra/local/test.sh

test-azure: $(VENV)/dev.stamp ## The same suites on real services; says what to set for that
	@infra/azure/test.sh

fuzz: $(VENV)/dev.stamp ## Schemathesis over every implemented operation, longer than in the tests
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} $(BIN)/pytest tests/contract/test_conformance.py --timeout=3600

flows: $(VENV)/dev.stamp ## Kill the shop at every step of the order process, live random lives of orders, 1,500 of one product: longer than in the tests
	@KILL_POINTS=$${KILL_POINTS:-1000} MODEL_EXAMPLES=$${MODEL_EXAMPLES:-300} RELAY_SPLITS=$${RELAY_SPLITS:-6} PURGE_SECONDS=$${PURGE_SECONDS:-60} \
		HOT_ORDERS=$${HOT_ORDERS:-1500} CANCEL_ROUNDS=$${CANCEL_ROUNDS:-200} ROLLING_REQUESTS=$${ROLLING_REQUESTS:-5000} \
		FINISHED_ORDERS=$${FINISHED_ORDERS:-100000} \
		$(BIN)/pytest tests/flows tests/platform/test_relay_splits.py tests/platform/store/test_sqlite_purge.py tests/races/test_hot_product.py \
		tests/races/test_cancel_against_hand_over.py tests/shipments/test_growth.py tests/contract/test_gateway_processes.py

bench: $(VENV)/dev.stamp ## Every floor of speed, beside a FastAPI peer that does the same work (7 minutes; ONLY=import: a feed of 100,000)
	@$(PY) -m tests.load.bench $(if $(ONLY),--only $(ONLY))

##@ Azure
.PHONY: provision
provision: $(VENV)/dev.stamp ## Create database and containers on the account of COSMOS_ACCOUNT_URI, report drift (FIX=1: undo it)
	@$(PY) -m infra.azure.provision $(if $(FIX),--fix)

##@ Keep
.PHONY: format lock vendor clean
format: $(VENV)/dev.stamp ## Format the code and fix what can be fixed
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

lock: $(VENV)/dev.stamp ## Resolve the dependency sets anew into infra/locks
	@infra/locks/lock.sh

clean: ## Remove the environment, caches and local data
	rm -rf $(VENV) .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* coverage bench
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The lock is whole, and without --no-deps pip looks past it: for pytest-cov's coverage[toml] it takes the newest release and then
# misses its hash. `pip check` proves the lock whole.
INSTALL = $(PY) -m pip install -qq --disable-pip-version-check --no-deps --require-hashes

$(VENV)/run.stamp: infra/locks/run.txt | $(VENV)/bin/python
	@echo "Installing what the application needs (once, about half a minute) ..."
	@$(INSTALL) -r infra/locks/run.txt && $(PY) -m pip check
	@touch $@

$(VENV)/dev.stamp: infra/locks/dev.txt | $(VENV)/bin/python
	@echo "Installing what development needs (once, about a minute) ..."
	@$(INSTALL) -r infra/locks/dev.txt && $(PY) -m pip check
	@touch $@ $(VENV)/run.stamp
