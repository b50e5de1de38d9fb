# Two commands: `make demo` shows the main job on a real Grid Engine on this machine, `make test` runs all tests.
# Each sets up what it needs: system packages (as root), the virtual environment, the testbed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check fuzz stress bench setup packages clean help

help:
	@sed -n 's/^# //p; s/^\([a-z]*\):.*## /  make \1: /p' Makefile

demo: setup ## a job, rendered from a template, submitted over SSH, waited for, fetched and shown
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh .ci/demo

# Most tests wait for a scheduler: several at once take half the time. Each worker has clusters of its own.
test: setup ## all tests (ROOM=jobs: those of one room alone)
	@$(BIN)/python -m tasks.testbed.packages slurm accounting
	$(BIN)/python -m pytest $(if $(ROOM),tests/$(ROOM) --numprocesses=2,--numprocesses=6) --dist=loadscope --no-loadscope-reorder

# A property that fails prints its example: it becomes an @example of its test.
fuzz: setup ## the tests of properties, at random and long (FUZZ=N examples of each)
	$(BIN)/python -m pytest --numprocesses=2 -m hypothesis --hypothesis-profile=fuzz

stress: setup fuzz ## faults by the hundred, and what the schedulers say came of them (half an hour for each scheduler)
	@$(BIN)/python -m tasks.testbed.packages slurm
	@$(BIN)/python -m tests.exactly_once
	@$(BIN)/python -m tests.stress
	@$(BIN)/python -m tests.stress --slurm
	@$(BIN)/python -m tests.stress.fuzzing
	@$(BIN)/python -m tests.stress.fuzzing --slurm

bench: setup ## what is promised about speed, as ratios
	@$(BIN)/python -m tasks.testbed.packages slurm
	@$(BIN)/python -m tests.bench $(BENCH)

check: setup ## lint, format, types, layers and shell, and a reason on every exception
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck $$(git ls-files '*.sh' .ci)
	@sh .ci/reasons

setup: packages $(VENV)/.installed

# The virtual environment is made anew when what it depends on changes.
$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

packages:
	@sh .ci/packages

clean: ## the virtual environment and what tools leave behind
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
