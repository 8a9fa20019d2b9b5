# `make` alone prints what there is. Everything runs in .venv, made by the first command that needs it.
# Some images forbid Python to keep what it compiled; then each process of a test or a demo compiles the whole product anew.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
.DEFAULT_GOAL := help
CHROMIUM := $(or $(shell command -v chromium),$(shell command -v chromium-browser))
.PHONY: help venv chromium demo test test-all lint bench contracts faults crash races crash-leads crash-mutants sandbox run worker servers-stop clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(READY): requirements.txt requirements-dev.txt
	@test -x $(PY) || python3 -m venv $(VENV)
	@echo "Installing what requirements-dev.txt names into $(VENV) (once, about a minute) ..."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(READY)

venv: $(READY) ## make the virtual environment in .venv

demo: $(READY) ## the whole product against simulated vendors; ONCE=1 does a day and ends
	@$(PY) -m sandbox.demo $(if $(ONCE),--once)

chromium: ## Debian's Chromium for the browser tests, when this is root with apt; else they are skipped by name
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's chromium for the browser tests (once, about a minute) ..."; \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } \
	    >/dev/null 2>&1 || echo "It could not be installed: the browser tests will be skipped."; fi
endif

test: $(READY) chromium ## every test but the slow ones
	@$(PY) -m pytest -n 3 --dist worksteal -m "not slow"

test-all: $(READY) chromium ## every test
	@$(PY) -m pytest -n 3 --dist worksteal

lint: $(READY) ## format, lint, types, imports
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

bench: $(READY) ## measure; ONLY=start|ingest|server|process|calls|backfill|flat|leads|lead_push|sidebar picks one
	@$(PY) -m bench $(if $(ONLY),$(ONLY))

contracts: $(READY) ## the demo's traffic through the contract proxies
	@$(PY) -m sandbox.contracts

faults: $(READY) ## kill, freeze and restart the servers under load; one JSON line a fault
	@$(PY) -m sandbox.faults

crash: $(READY) ## kill -9 at N points of refunds (200), then the crash table
	@$(PY) -m tests.faults.refund_crash $(or $(N),200)

races: $(READY) ## twenty agents on one charge, N times (1000), then one line of JSON
	@$(PY) -m tests.faults.refund_races $(or $(N),1000)

crash-leads: $(READY) ## kill -9 at N points of leads (60), four workers, then the crash table
	@$(PY) -m tests.faults.lead_crash $(or $(N),60)

crash-mutants: $(READY) ## each safeguard of refunds taken out makes the battery fail
	@$(PY) -m pytest tests/faults/test_refund_mutants.py

sandbox: $(READY) ## only the simulated vendors, on ports from 8400
	@$(PY) -m sandbox

run: $(READY) ## the web processes
	@$(VENV)/bin/flask web

worker: $(READY) ## the workers
	@$(VENV)/bin/flask worker

servers-stop: $(READY) ## stop the embedded PostgreSQL and Redis
	@$(VENV)/bin/flask servers stop

clean: ## remove the virtual environment, caches and the embedded servers' files
	@test ! -x $(VENV)/bin/flask || $(VENV)/bin/flask servers stop
	@rm -rf $(VENV) .deskbridge .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
