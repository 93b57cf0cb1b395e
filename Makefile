# The two commands a newcomer needs are `make run` and `make test`; `make help` lists the rest.
# Set-up is remembered by content: a stamp's name carries the digest of what it was made from.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
digest = $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16)

WALLET_SOURCES := $(shell find wallet -path wallet/node_modules -prune -o -path wallet/dist -prune -o -type f -print 2>/dev/null | LC_ALL=C sort)
INSTALLED := $(VENV)/.installed-$(call digest,requirements.lock pyproject.toml gov_chain/core/hot/_native.c)
MODULES := wallet/node_modules/.installed-$(call digest,wallet/package.json wallet/package-lock.json)
INTEROP := tests/interop/node_modules/.installed-$(call digest,tests/interop/package.json tests/interop/package-lock.json)
CONTEXTS := certificates/contexts/node_modules/.installed-$(call digest,certificates/contexts/package.json certificates/contexts/package-lock.json)
BUNDLE := wallet/dist/.built-$(call digest,$(WALLET_SOURCES))

.PHONY: help setup engines run test nightly soak check locks format bench lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: $(INSTALLED) $(CONTEXTS) $(BUNDLE) ## .venv, Python packages, the wallet's bundle; a second run takes a second

engines: $(INSTALLED) ## build the engines of others from pinned source, once (ENGINES=cometbft for one)
	@$(BIN)/python -m gov_chain.engines $(ENGINES)

run: setup $(if $(filter 1,$(CONSORTIUM)),engines-cometbft) $(if $(filter 1,$(VAULT)),engines-vault) ## start a node on this machine (PORT=8000; TLS=1 for a phone nearby; CONSORTIUM=1 for four nodes; VAULT=1 for keys in Vault, in var-vault)
	@exec $(BIN)/govchain $(if $(filter 1,$(CONSORTIUM)),consortium) up $(if $(PORT),--port $(PORT)) $(if $(filter 1,$(TLS)),--tls) \
	    $(if $(filter 1,$(VAULT)),--vault --data $(or $(DATA),var-vault))

engines-%: $(INSTALLED)
	@$(BIN)/python -m gov_chain.engines $* >&2

test: setup $(INTEROP) ## every test (ARGS="tests/test_cli.py -k help" for a few)
	@$(BIN)/python -m pytest $(ARGS)

nightly: setup ## the tests that take minutes: every fault at every point, whole bit-flip sweeps
	@$(BIN)/python -m pytest -m nightly $(ARGS)

soak: setup ## three times what a consortium of four can take, for five minutes, with its figures (SOAK_SECONDS=60)
	@$(BIN)/python -m pytest -q -s -m nightly tests/consortium/test_soak.py $(ARGS)

check: setup locks ## linter, formatter, types, imports, lock files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

locks: ## no lock file may name a registry
	@if grep -nE '^ *-(-index|-extra-index|-find-links|i |f )|://|@ file' requirements.lock; then \
	    echo "requirements.lock names a host; run make lock" >&2; exit 1; fi
	@if grep -nE '"resolved": *"[a-z+]+://' wallet/package-lock.json certificates/contexts/package-lock.json tests/interop/package-lock.json; then \
	    echo "a package-lock.json names a host; set omit-lockfile-registry-resolved" >&2; exit 1; fi

format: setup ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

bench: setup ## measure: make bench NAME=ledger [SIZE=small] [JSON=1]
	@$(BIN)/python -m bench $(or $(NAME),ledger) $(if $(SIZE),--size $(SIZE)) $(if $(filter 1,$(JSON)),--json)

lock: ## resolve requirements.lock again (needs uv on the path or in .venv)
	@uv=$$(command -v $(BIN)/uv || command -v uv) || { echo "make lock needs uv" >&2; exit 1; }; \
	$$uv pip compile -q pyproject.toml --group build --group test --python-version 3.11 --universal \
	    --generate-hashes --no-header --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) -o requirements.lock

clean: ## forget everything made here, except a node's data in var/
	rm -rf $(VENV) certificates/contexts/node_modules wallet/node_modules wallet/dist tests/interop/node_modules test-results .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 setup")'
	@$(PYTHON) -m venv $(VENV)

$(INSTALLED): $(VENV)/pyvenv.cfg
	@echo "Python packages from requirements.lock ..." >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps -e .
	@rm -f $(VENV)/.installed-* && touch $@

$(MODULES): | $(INSTALLED)
	@echo "Browser packages from wallet/package-lock.json ..." >&2
	@cd wallet && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(CONTEXTS): | $(INSTALLED)
	@echo "JSON-LD contexts from certificates/contexts/package-lock.json ..." >&2
	@cd certificates/contexts && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(INTEROP): | $(INSTALLED)
	@echo "Other makers' wallet libraries from tests/interop/package-lock.json ..." >&2
	@cd tests/interop && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(BUNDLE): $(MODULES) | $(INSTALLED)
	@echo "The wallet's bundle ..." >&2
	@PATH="$(CURDIR)/$(BIN):$$PATH" node wallet/build.mjs >&2
	@rm -f wallet/dist/.built-* && touch $@
