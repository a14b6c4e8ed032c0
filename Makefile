# Two commands do everything, set-up included:
#   make site   build the articles into site/
#   make test   run every test
# Both need Python 3.11 or newer and nothing else; PYTHON=... chooses which Python.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready

# Idle OpenMP threads that spin take the processor from the ones that work.
export OMP_WAIT_POLICY := passive

.PHONY: site test lint format clean

site: $(READY)
	$(VENV)/bin/python build_site.py --out site

test: $(READY)
	$(VENV)/bin/python -m pytest

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable ".[test,data,evaluation]"
	touch $(READY)

clean:
	rm -rf $(VENV) site .artifacts
