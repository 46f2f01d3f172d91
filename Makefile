# Every target makes what it needs, on a machine with Python 3.11 or newer: `make run`, `make test`.
# PYTHON=python3.12 chooses another Python, VENV=... another place for the environment.
PYTHON ?= python3
VENV ?= .venv
DATA ?=
IN_VENV := $(VENV)/bin
NEEDS := setup.cfg pyproject.toml constraints.txt
INSTALL = $(IN_VENV)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e

.PHONY: run test lint bench faults results clean

run: $(VENV)/installed
	$(IN_VENV)/python run.py train examples/data/penguins.csv --target species

test: $(VENV)/installed-dev
	$(IN_VENV)/python -m pytest -n auto

lint: $(VENV)/installed-dev
	$(IN_VENV)/ruff check
	$(IN_VENV)/ruff format --check
	$(IN_VENV)/mypy
	$(IN_VENV)/python -m pytest -q tests/test_layers.py

bench: $(VENV)/installed-dev
	$(IN_VENV)/python benchmarks/overhead.py
	$(IN_VENV)/python benchmarks/tables.py
	$(IN_VENV)/python benchmarks/checkpoints.py

faults: $(VENV)/installed-dev
	EXHAUSTIVE=1 $(IN_VENV)/python -m pytest -n auto tests/faults tests/test_exact_resume.py tests/test_tensor_file.py tests/end_to_end

results: $(VENV)/installed-dev
	@test -n "$(DATA)" || { echo "make results needs DATA=directory-of-data-sets" >&2; exit 2; }
	$(IN_VENV)/python benchmarks/results.py "$(DATA)"

clean:
	rm -rf $(VENV) build dist *.egg-info

$(IN_VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(NEEDS) | $(IN_VENV)/python
	@echo "Installing into $(VENV), once: torch alone takes some minutes."
	$(INSTALL) .
	@touch $@

$(VENV)/installed-dev: $(NEEDS) | $(IN_VENV)/python
	@echo "Installing into $(VENV), once: torch alone takes some minutes."
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/installed
