# `make run` and `make test` need nothing but Python 3.11+ and make: they set up .venv themselves, once.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
APPS := project preferences templates_app notifications
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
THREADS ?= 4
CONCURRENCY ?= 2
TESTS ?= tests
SOAK_MINUTES ?= 10
PYTEST := $(BIN)/pytest -q -n auto --dist loadgroup

.PHONY: run test test-fast faults soak bench lint types web live worker beat lock

run: .venv/installed
	@$(RUN) manage.py run

# --- Quality ----------------------------------------------------------------------------------------------------------
# Everything on SQLite, then what is not about SQLite's own process on PostgreSQL, when there is one.
test: .venv/installed-dev
	@echo "--- SQLite"; $(PYTEST) -rs $(TESTS)
	@if url=$$($(RUN) -m tests.services postgresql); \
	then echo "--- PostgreSQL"; DATABASE_URL=$$url $(PYTEST) -rs -m "not browser and not process" $(TESTS); \
	elif [ -n "$$CI" ]; then exit 1; fi

test-fast: .venv/installed-dev
	@$(PYTEST) -m "not browser and not process and not slow" $(TESTS)

# Real processes killed, stalled and cut off: all of it, and by the dice for SOAK_MINUTES. See docs/faults.md.
faults: .venv/installed-dev
	@FAULTS=all $(BIN)/pytest -v $(TESTS)/faults

soak: .venv/installed-dev
	@FAULTS=all SOAK_MINUTES=$(SOAK_MINUTES) $(BIN)/pytest -q -s $(TESTS)/faults/test_soak.py

# Carillon beside its peers, in one run. BENCH=quick: three minutes. DOCS=1: docs/benchmarks.md is written anew.
# PARTS="broadcast storage": only those. See docs/benchmarks.md.
bench: .venv/installed-dev
	@$(RUN) -m tests.benchmarks $(PARTS)

lint: .venv/installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/installed-dev
	@$(BIN)/mypy $(APPS)

# --- Production: set the environment (.env.example), run `manage.py migrate`, start any number of each --------------
web: .venv/installed
	@exec $(BIN)/granian --interface wsgi --host $(HOST) --port $(PORT) --workers $(WORKERS) \
		--blocking-threads $(THREADS) --no-ws --respawn-failed-workers project.wsgi:application

live: .venv/installed
	@exec $(BIN)/uvicorn project.asgi:application --host $(HOST) --port $(PORT) --lifespan off --no-access-log \
		--no-server-header --log-level warning --ws websockets-sansio --ws-max-size 65536 --ws-per-message-deflate false

worker: .venv/installed
	@exec $(RUN) manage.py worker --concurrency $(CONCURRENCY)

beat: .venv/installed
	@exec $(BIN)/celery --quiet -A project beat --loglevel WARNING --pidfile=

# --- Setting up -------------------------------------------------------------------------------------------------------
# uv installs in seconds what takes pip a minute; where it is not to be had, pip does the same work.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Carillon needs Python 3.11 or newer: set PYTHON.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing $< into .venv"
	@test -x $(BIN)/uv || $(BIN)/pip install --quiet --disable-pip-version-check uv || true
	@if test -x $(BIN)/uv; \
	then $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $<; \
	else $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@
endef

.venv/installed: requirements.lock
	$(install)

.venv/installed-dev: requirements-dev.lock
	$(install)
	@touch .venv/installed

lock:
	@for name in requirements requirements-dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" $$name.txt -o $$name.lock; done
