# One command each: `make demo` shows the product, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
# A run starts dozens of processes, the suite thousands: the first one compiles for all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test dev check lint types setup setup-dev lock pictures schemas train-tiny bench clean

demo: setup ## render the demo campaign through Dagster, show where the videos are
	@$(BIN)/wan demo

test: setup-dev ## the whole suite
	@tests/install-system-packages
	@$(BIN)/pytest --numprocesses 4 --dist loadgroup --no-loadscope-reorder

dev: setup ## Dagster's UI with schedules and sensors, and the videos it links to
	@$(BIN)/wan dev

check: lint types test ## everything a change must pass

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup-dev
	@$(BIN)/pyright

setup: $(VENV)/.ready
setup-dev: $(VENV)/.ready-dev

$(VENV)/bin/python:
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what requirements.lock names (a minute or two)"
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock requirements-tools.lock $(VENV)/.ready
	@echo "Installing what the tests need"
	@$(PIP) install --requirement requirements-dev.lock
	@$(PIP) install --no-deps --requirement requirements-tools.lock
	@touch $@

lock: $(VENV)/bin/python ## refresh the lock files
	@$(PIP) install pip-tools
	@$(BIN)/pip-compile $(LOCK) --output-file requirements.lock pyproject.toml
	@$(BIN)/pip-compile $(LOCK) --extra dev --output-file requirements-dev.lock pyproject.toml
	@sed -i 's/^\(torch==[0-9.]*\)+cpu$$/\1/' requirements.lock requirements-dev.lock
	@$(PIP) install --requirement requirements.lock
	@$(BIN)/python -m deploy.locks
LOCK := --quiet --upgrade --strip-extras --no-annotate --no-header --all-build-deps --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

pictures: setup-dev ## the documentation's pictures of Dagster, from the demo as it is now
	@WAN_PICTURES=docs $(BIN)/pytest tests/ui

schemas: setup ## JSON schemas for editors
	@$(BIN)/python -m wan_pipelines.schemas

train-tiny: setup-dev ## train the tiny checkpoint again, from nothing
	@$(BIN)/python -m training

bench: setup-dev ## the figures of docs/performance.md
	@$(BIN)/python -m benchmarks

clean: ## remove what the demo made
	rm -rf .wan
