# `make` alone explains. Needs Python >= 3.11 with venv, and make; everything else it fetches.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run
DEV    := $(VENV)/.dev
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench chaos docs pictures lock

help:    ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1  /p' $(MAKEFILE_LIST) | sed 's/^  make \([a-z]*\)  /  make \1\t/' | expand -t 17

setup: $(RUN)  ## .venv with the pantau112 command

run: $(RUN)  ## the whole monitor on this machine; FEED=file FROM=time SPEED=60 plays a recording, CENTRE=file, PORTS=first
	@$(BIN)/pantau112 up $(if $(FEED),--feed "$(FEED)") $(if $(FROM),--from "$(FROM)") $(if $(SPEED),--speed "$(SPEED)") $(if $(CENTRE),--centre "$(CENTRE)") $(if $(PORTS),--ports "$(PORTS)")

test: $(DEV)  ## every test, with real Kafka, Prometheus and Alertmanager
	$(BIN)/pytest

lint: $(DEV)  ## format, lint, types, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m schemas.catalogue --check
	$(BIN)/python -m streams.catalogue --check
	$(BIN)/python -m dashboards.boards --check

bench: $(DEV)  ## speeds beside their bare limits, written to tests/bench/results.md
	$(BIN)/python -m tests.bench

chaos: $(DEV)  ## 200,000 valid events with extreme values, then 30 kill -9 of workers, 5 of the broker, 5 rebalances under load (about 12 minutes)
	$(BIN)/python -m tests.chaos

docs: $(DEV)  ## write the generated files: JSON schemas, AsyncAPI, catalogues, boards
	$(BIN)/python -m schemas.catalogue
	$(BIN)/python -m streams.catalogue
	$(BIN)/python -m dashboards.boards

pictures: $(DEV)  ## take a picture of every board at the end of the tests' simulated week (needs Chromium)
	$(BIN)/python -m tests.pictures

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --generate-hashes --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --universal --generate-hashes --no-header -q -o requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pantau112 needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/pip install -q --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install -q --no-deps -e .
	@touch $@

$(DEV): requirements-dev.lock | $(RUN)
	$(BIN)/pip install -q --require-hashes --no-deps -r requirements-dev.lock
	@touch $@
