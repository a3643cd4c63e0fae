# `make` alone explains. Needs Python >= 3.11 with venv, and make; everything else it fetches.
PYTHON ?= python3
VENV   := .venv
# No script beside it: each holds the folder's name, and not every name fits.
PY     := $(VENV)/bin/python
RUN    := $(VENV)/.run
DEV    := $(VENV)/.dev
BENCH  := $(VENV)/.bench
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help setup run test rules3 lint bench alarms chaos soak docs pictures audit sbom install uninstall lock

help:    ## this list
	@sed -n 's/^\([a-z0-9]*\):[^#]*## /  make \1  /p' $(MAKEFILE_LIST) | sed 's/^  make \([a-z0-9]*\)  /  make \1\t/' | expand -t 17

setup: $(RUN)  ## .venv with the pantau112 command

run: $(RUN)  ## the whole monitor on this machine; FEED=file (or topic:all) FROM=time SPEED=60 plays a recording, EDGE=file collects, CENTRE=file, PORTS=first
	@$(PY) -m streams.cli up $(if $(FEED),--feed "$(FEED)") $(if $(FROM),--from "$(FROM)") $(if $(SPEED),--speed "$(SPEED)") $(if $(EDGE),--edge "$(EDGE)") $(if $(CENTRE),--centre "$(CENTRE)") $(if $(PORTS),--ports "$(PORTS)")

# Two halves side by side, each with a Kafka of its own: most tests wait for something. A file stays whole, for what its tests share.
test: $(DEV)  ## every test, with real Kafka, Prometheus and Alertmanager
	$(PY) -m pytest -n 2 --dist loadfile

# Built in its own folder and without its workspace: `go install` takes no module that replaces others.
rules3: $(DEV)  ## rules and routes with the promtool and amtool of docker-compose.yml, built into .local (needs Go; 10 minutes the first time)
	module=$$(go mod download -json github.com/prometheus/prometheus@v0.313.4 | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p') && \
	  GOWORK=off go build -C "$$module" -o "$$PWD/.local/go/bin/promtool" ./cmd/promtool
	GOBIN="$$PWD/.local/go/bin" go install github.com/prometheus/alertmanager/cmd/amtool@v0.34.1
	$(PY) -m pytest -k of_docker_compose tests/dashboards/test_rules.py

lint: $(DEV)  ## format, lint, types, generated files
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m schemas.catalogue --check
	$(PY) -m streams.worker.catalogue --check
	$(PY) -m dashboards.boards --check
	$(PY) -m tests.audit --check

bench: $(BENCH)  ## speeds beside their bare limits, the forecast beside its rivals, written to tests/bench/results.md
	$(PY) -m tests.bench

alarms: $(DEV)  ## whom the alerts call in an ordinary week, a storm week and on real months, written to tests/alarms/results.md
	$(PY) -m tests.alarms

chaos: $(DEV)  ## 200,000 valid events with extreme values, then 30 kill -9 of workers, 5 of the broker, 5 rebalances under load
	$(PY) -m tests.chaos

soak: $(DEV)  ## an hour of a nation at 100 times its rate, with faults; MINUTES=600 for longer. Written to tests/soak/results.md
	$(PY) -m tests.soak $(if $(MINUTES),--minutes $(MINUTES))

docs: $(DEV)  ## write the generated files: JSON schemas, AsyncAPI, catalogues, boards, and what tests hold them against
	$(PY) -m schemas.catalogue
	$(PY) -m streams.worker.catalogue
	$(PY) -m dashboards.boards
	$(PY) -m tests.schemas.test_compatibility
	$(PY) -m tests.core.test_state_form
	$(PY) -m tests.worker.recorded_state
	$(PY) -m tests.worker.test_exposition

pictures: $(DEV)  ## take a picture of every board at the end of the tests' simulated week (needs Chromium)
	$(PY) -m tests.pictures

audit: $(DEV)  ## what is known against the dependencies: asks PyPI, and without it says what was last known and from when
	$(PY) -m tests.audit

sbom: $(BENCH)  ## write the list of everything that the lock files name, with licences (CycloneDX), to docs/sbom.cdx.json
	$(PY) -m tests.audit --bill

install:  ## the command at PREFIX (/opt/pantau112) and its services, as root; DESTDIR=folder makes a package
	@PYTHON="$(PYTHON)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" streams/packaging/install.sh install

uninstall:  ## the same away again; settings and data stay
	@PYTHON="$(PYTHON)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" streams/packaging/install.sh uninstall

lock:  ## resolve the dependencies anew (needs uv); then make sbom and make audit
	uv pip compile --group build --universal --generate-hashes --no-header -q -o requirements-build.lock
	uv pip compile pyproject.toml --universal --generate-hashes --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev -c requirements.lock --universal --generate-hashes --no-header -q -o requirements-dev.lock
	uv pip compile pyproject.toml --group dev --group bench -c requirements-dev.lock --universal --generate-hashes --no-header -q -o requirements-bench.lock

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pantau112 needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Nothing is built but this project, and that by what the lock names: a build that pip prepares itself fetches what it likes.
INSTALL = $(PY) -m pip install -q --require-hashes --no-deps --only-binary :all:

$(RUN): requirements-build.lock requirements.lock pyproject.toml | $(PY)
	$(INSTALL) -r requirements-build.lock -r requirements.lock
	$(PY) -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock | $(RUN)
	$(INSTALL) -r requirements-dev.lock
	@touch $@

$(BENCH): requirements-bench.lock | $(DEV)
	$(INSTALL) -r requirements-bench.lock
	@touch $@
