# Two commands: `make run` (set up and show the whole flow) and `make test` (set up and run all checks).
# Both are plain pip and sandglass commands underneath; README.md writes them out.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test setup setup-test clean

run: setup
	$(BIN)/sandglass demo $(if $(DATA),--data $(DATA))

test: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest $(ARGS)

setup: $(VENV)/.installed
	$(BIN)/sandglass weights pull

setup-test: $(VENV)/.installed-test
	scripts/install_test_services
	$(BIN)/sandglass weights pull

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) scripts/require_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[benchmarks]'
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable '.[benchmarks,dev,postgres]'
	touch $@

clean:
	rm -rf $(VENV) build dist
