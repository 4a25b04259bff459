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
PACKAGES := orchestrator tests

# A virtual environment knows its own path: in a checkout that was moved or copied it is made anew.
ifneq "$(wildcard $(MADE))" ""
ifneq "$(shell cat $(MADE))" "$(shell pwd -P)"
$(shell rm -rf $(VENV))
endif
endif

# The tests bring their own cluster; yours is used only when you say so.
ifneq ($(URUMI_TEST_CLUSTER),1)
CLEAN_ENV := env -u KUBECONFIG -u URUMI_KUBECONFIG -u URUMI_CLUSTER
endif

.PHONY: help run setup test lint format types docs lock clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(READY) ## Serve on http://127.0.0.1:4000 (ARGS="--port 5000" for flags)
	@exec $(BIN)/urumi serve $(ARGS)

setup: $(READY) ## Make .venv with what `make run` needs

test: $(READY_DEV) ## Lint, types, layers and all tests that need no cluster of their own
	@$(MAKE) --no-print-directory lint types
	@echo '== tests'
	@$(CLEAN_ENV) $(BIN)/python -m pytest $(ARGS)

lint: $(READY_DEV) ## Style and import layers
	@echo '== style'
	@$(BIN)/ruff check $(PACKAGES)
	@$(BIN)/ruff format --check $(PACKAGES)
	@echo '== layers'
	@$(BIN)/lint-imports

types: $(READY_DEV) ## mypy, strict
	@echo '== types'
	@$(BIN)/mypy

format: $(READY_DEV) ## Format the code
	@$(BIN)/ruff check --fix $(PACKAGES)
	@$(BIN)/ruff format $(PACKAGES)

docs: $(READY_DEV) ## Write the generated tables into the README
	@$(BIN)/python -m orchestrator.cli.docs README.md

# For maintainers, needs uv. The files hold hashes and no address, so they work with any registry.
COMPILE := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--python-version 3.11 --custom-compile-command "make lock"
lock: ## Resolve requirements/*.txt again
	$(COMPILE) -o requirements/runtime.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra dev -c requirements/runtime.txt -o requirements/dev.txt \
		pyproject.toml requirements/build.in

clean: ## Remove what was made here; data in .urumi stays
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or newer is needed: make PYTHON=python3.13 …' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'python3 -m venv failed; on Debian: apt install python3-venv' >&2; exit 1; }
	@pwd -P > $@
