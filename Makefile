# Escucha: `make run` to use it, `make test` and `make check` to work on it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test check catalog bench faults clean

help: ## What there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## Make .venv with everything that runs, at locked versions

run: setup ## Load the sample, understand it and serve the dashboard (Ctrl-C ends it)
	@$(BIN)/escucha demo

test: $(VENV)/.ready-dev ## Install what tests need and run them
	@sh tests/browser.sh
	$(BIN)/pytest -n auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

check: $(VENV)/.ready-dev ## Style, types, layers, and whether the migrations match the tables
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@mkdir -p build && rm -f build/schema.db*
	$(BIN)/alembic -q upgrade head && $(BIN)/alembic check

catalog: $(VENV)/.ready-dev ## Bring the Spanish catalogue up to date with the messages in the source
	sh api/dashboard/catalog.sh

bench: $(VENV)/.ready-dev ## Print every figure as JSON (benchmarks/)
	@for file in benchmarks/store.py benchmarks/dedupe.py benchmarks/exports.py benchmarks/backup.py benchmarks/pages.py benchmarks/nlp.py benchmarks/collect.py benchmarks/kills.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

faults: $(VENV)/.ready-dev ## Kill collectors, taggers, upgrades and servers, fill the disk, and let upstreams do their worst
	$(BIN)/python -m benchmarks.kills
	$(BIN)/python -m benchmarks.crashes
	$(BIN)/python -m benchmarks.hostile
	ESCUCHA_FAULTS=full $(BIN)/pytest tests/store/test_backup.py tests/store/test_moving.py tests/store/test_damage.py --timeout 600

clean: ## Remove what was built; the data stays
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-build.lock

$(VENV)/.ready: requirements.lock requirements-build.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock | $(VENV)/.ready
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-dev.lock
	@touch $@
