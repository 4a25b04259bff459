# What is needed comes from the package registry into .venv; only Python >= 3.11 and make must be there.
# `make run` and `make test` set up by themselves; both are safe to run twice.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; \
	done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
MADE := $(VENV)/.made
READY := $(VENV)/.ready-runtime
READY_DEV := $(VENV)/.ready-dev
DASHBOARD := web/dist/index.html
DASHBOARD_SOURCES := web/index.html web/package-lock.json web/vite.config.ts web/build.py \
	$(shell find web/src -type f 2>/dev/null) charts/store/files/codes.json
WEB := $(BIN)/python web/build.py
PACKAGES := orchestrator tests images hatch_build.py web/build.py

# A virtual environment knows its own path: in a checkout that was moved or copied it is made anew.
ifneq "$(wildcard $(MADE))" ""
ifneq "$(shell cat $(MADE))" "$(shell pwd -P)"
$(shell rm -rf $(VENV))
endif
endif

# The tests bring their own clusters, one a worker; yours is used only when you say so, by one.
# On a control plane they wait more than they work: namespaces take their time to end.
WORKERS ?= 2
CLUSTER_WORKERS ?= 3
ifeq ($(URUMI_TEST_CLUSTER),1)
WORKERS := 0
CLUSTER_WORKERS := 0
endif
SPREAD := --dist worksteal -n
ifneq ($(URUMI_TEST_CLUSTER),1)
CLEAN_ENV := env -u KUBECONFIG -u URUMI_KUBECONFIG -u URUMI_CLUSTER
endif

.PHONY: help run setup test test-cluster test-e2e test-setup bench lint format types web web-types shots docs image \
	kind kind-down \
	lock lock-images lock-python clean

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(READY) $(DASHBOARD) ## Serve on http://127.0.0.1:4000 (ARGS="--port 5000" for flags)
	@exec $(BIN)/urumi serve $(ARGS)

setup: $(READY) $(DASHBOARD) ## Make .venv and the dashboard: what `make run` needs

test: $(READY_DEV) $(DASHBOARD) ## Lint, types, layers and all tests that need no cluster of their own
	@$(MAKE) --no-print-directory lint types web
	@echo '== tests'
	@$(CLEAN_ENV) $(BIN)/python -m pytest $(SPREAD) $(WORKERS) $(ARGS)

# Suites that stand on a cluster: the same tests on the sandbox (make test) and on a real API server.
CLUSTER_SUITES := tests/chaos tests/contract tests/applier tests/cluster \
	tests/system/test_life.py tests/system/test_drift.py

# Built before the tests begin, whose time is bounded; a cluster of yours needs none.
ifneq ($(URUMI_TEST_CLUSTER),1)
PROGRAMS := $(BIN)/python -m tests.cluster.programs
endif

test-cluster: $(READY_DEV) ## The cluster suites on a real control plane (or, URUMI_TEST_CLUSTER=1, on KUBECONFIG)
	@$(PROGRAMS)
	@echo '== tests on a real API server'
	@$(CLEAN_ENV) $(BIN)/python -m pytest --ground=real $(SPREAD) $(CLUSTER_WORKERS) $(or $(ARGS),$(CLUSTER_SUITES))

test-e2e: $(READY_DEV) ## Real pods on the cluster of KUBECONFIG (URUMI_TEST_CLUSTER=1)
	@$(BIN)/python -m tests.e2e.needs
	@echo '== tests with real pods'
	@$(BIN)/python -m pytest --ground=real $(or $(ARGS),tests/e2e)

test-setup: $(READY_DEV) ## Set-up of a shop with real PHP, MariaDB and WordPress, killed at its writes
	@$(BIN)/python -m tests.setup.needs
	@echo '== tests of set-up with real programs'
	@$(CLEAN_ENV) $(BIN)/python -m pytest $(SPREAD) $(or $(SETUP_WORKERS),2) $(or $(ARGS),tests/setup)

bench: $(READY_DEV) ## Beside a bare client and Helm, as ratios, into docs/benchmarks.md (15 minutes)
	@$(PROGRAMS)
	@$(CLEAN_ENV) $(BIN)/python -m tests.bench $(ARGS)

lint: $(READY_DEV) ## Style and import layers
	@echo '== style'
	@$(BIN)/ruff check $(PACKAGES)
	@$(BIN)/ruff format --check $(PACKAGES)
	@echo '== layers'
	@$(BIN)/lint-imports

types: $(READY_DEV) ## mypy, strict
	@echo '== types'
	@$(BIN)/mypy

web: $(READY) web/src/api/schema.d.ts ## Types, style and tests of the dashboard
	@echo '== dashboard'
	@$(WEB) -- npm run --silent check
	@$(WEB) -- npm run --silent test

web-types: $(READY) ## web/src/api/schema.d.ts from the OpenAPI document
	@$(BIN)/python -m orchestrator.cli.docs --openapi >web/openapi.json
	@$(WEB) -- npm run --silent types

shots: $(READY_DEV) $(DASHBOARD) ## Pictures of the dashboard into docs/dashboard (needs Chromium)
	@$(BIN)/python -m tests.web.shots

format: $(READY_DEV) ## Format the code
	@$(BIN)/ruff check --fix $(PACKAGES)
	@$(BIN)/ruff format $(PACKAGES)

docs: $(READY_DEV) ## Write the generated tables into README.md and the chart's
	@$(BIN)/python -m orchestrator.cli.docs

image: ## Build the stores' WordPress with WooCommerce in it (needs Docker; IMAGE=name)
	@PYTHON='$(PYTHON)' IMAGE='$(IMAGE)' images/wordpress/build.sh

kind: ## A kind cluster on this machine, and the service against it (START=no: the cluster alone)
	@PYTHON='$(PYTHON)' START='$(START)' ARGS='$(ARGS)' manifests/kind/up.sh

kind-down: ## Delete that cluster
	@manifests/kind/down.sh

lock: lock-images lock-python ## Pin again what is pinned (needs a network): images, archives, requirements

lock-images: ## Digests and checksums of charts/store/files/lock.json (ARGS=--refresh: all anew)
	@$(PYTHON) images/lock.py fill $(ARGS)

# Needs uv. The files hold hashes and no address, so they work with any registry.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock"
lock-python: ## requirements/*.txt
	$(COMPILE) -o requirements/runtime.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra dev -c requirements/runtime.txt -o requirements/dev.txt \
		pyproject.toml requirements/build.in
	$(COMPILE) -o requirements/node.txt requirements/node.in

clean: ## Remove what was made here; data in .urumi stays
	rm -rf $(VENV) dist build web/dist web/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# pip checks every hash; the project itself is then installed without fetching anything.
$(READY): requirements/runtime.txt pyproject.toml | $(MADE)
	@echo '== setting up .venv for running'
	@$(PIP) install --quiet --require-hashes -r requirements/runtime.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(READY_DEV): requirements/dev.txt $(READY)
	@echo '== setting up .venv for tests'
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

# Node.js builds it; a machine without gets one from PyPI, into .venv.
$(DASHBOARD): $(DASHBOARD_SOURCES) requirements/node.txt | $(READY)
	@echo '== building the dashboard'
	@$(WEB) --has-node || $(PIP) install --quiet --require-hashes -r requirements/node.txt
	@$(WEB)

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed: make PYTHON=python3.13 …' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'python3 -m venv failed; on Debian: apt install python3-venv' >&2; exit 1; }
	@pwd -P > $@
