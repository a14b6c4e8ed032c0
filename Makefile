# Two commands do everything, set-up included:
#   make site   build the articles into site/
#   make test   run every test
# Both need Python 3.11 or newer and nothing else; PYTHON=... chooses which Python. `make lint` and
# `make format` need npm too, for the page's scripts. `make quick` runs the tests that need no
# browser, no server and no training.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
BROWSER := tests/browser
NODE_READY := $(BROWSER)/node_modules/.package-lock.json

# Idle OpenMP threads that spin take the processor from the ones that work.
export OMP_WAIT_POLICY := passive

# Each worker runs whole files, so that what a file builds is built once. PyTorch gets one thread
# in each: two programs with two threads each slow one another several times over.
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile

.PHONY: site test quick lint format clean

site: $(READY)
	$(VENV)/bin/python build_site.py --out site

test: $(READY)
	$(PYTEST)

quick: $(READY)
	$(PYTEST) -m "not slow and not browser and not server"

lint: $(READY) $(NODE_READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	npm --prefix $(BROWSER) run --silent types
	npm --prefix $(BROWSER) run --silent lint

format: $(READY) $(NODE_READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	npm --prefix $(BROWSER) run --silent format

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[codec,test,data,evaluation,ratings]"
	touch $(READY)

$(NODE_READY): $(BROWSER)/package.json
	npm --prefix $(BROWSER) install --no-package-lock
	touch $@

clean:
	rm -rf $(VENV) $(BROWSER)/node_modules site .artifacts
