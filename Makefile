# Two commands on a fresh machine: `make demo` and `make test`. Nothing but Python 3.11+ is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-fast test-browser test-cluster lint docs wheel parity-mxnet clean

demo: $(VENV)/.runtime
	$(BIN)/facepart demo -o demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Without the tests that are marked as slow.
test-fast: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

# The report in a real browser: Debian's Chromium is installed if there is no browser and this is root on Debian.
test-browser: $(VENV)/.dev
	$(BIN)/python -m tests.browser
	FACEPART_TEST_BROWSER=1 $(BIN)/python -m pytest tests/test_report_browser.py

# The tests on a Ray cluster of this machine. Ray is large, and each module that starts it needs a process of its own.
test-cluster: $(VENV)/.cluster
	set -e; for tests in $$(grep -l skip_without_ray tests/test_cluster*.py); do FACEPART_TEST_RAY=1 $(BIN)/python -m pytest $$tests; done

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documentation as a site, in site/: `python3 -m http.server -d site` shows it. Dead links, and what is loaded from
# elsewhere, are errors.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/python -m pytest tests/test_site.py

# The wheel and the source archive, in dist/.
wheel: $(VENV)/.runtime
	rm -rf build dist
	$(BIN)/python -m pip install --quiet --disable-pip-version-check build
	$(BIN)/python -m build --outdir dist .

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

$(VENV)/.cluster: $(VENV)/.dev requirements-cluster.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-cluster.txt
	touch $@

$(VENV)/.docs: $(VENV)/.dev requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@

clean:
	rm -rf $(VENV) build dist site .venv-mxnet .pytest_cache .mypy_cache .ruff_cache .hypothesis
