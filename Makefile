# Two commands on a fresh machine: `make demo` and `make test`. Nothing but Python 3.11+ is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint parity-mxnet clean

demo: $(VENV)/.runtime
	$(BIN)/facepart demo -o demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Apache MXNet itself as a witness, in a virtual environment of its own.
parity-mxnet: $(VENV)/.dev
	$(BIN)/python -m tests.witness.mxnet_parity

# Stamp files: an environment is built once, and again when what it is made from changes.
$(VENV)/.runtime: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "facepart needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .venv-mxnet .pytest_cache .mypy_cache .ruff_cache .hypothesis
