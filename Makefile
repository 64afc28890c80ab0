# Two commands: `make run` (set up and show the whole flow) and `make test` (set up and run all checks).
# Both are plain pip and sandglass commands underneath; README.md writes them out.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
NPM := $(BIN)/python scripts/npm.py
CONSOLE := $(shell find console -type f -not -path '*/node_modules/*')

.PHONY: run test test-console setup setup-test client clean

run: setup
	@$(BIN)/sandglass demo $(if $(DATA),--data '$(DATA)')

test: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test-console
	$(BIN)/python -m pytest -n 2 --dist loadscope --durations 15 $(ARGS)

test-console:
	$(NPM) run check
	$(NPM) test
	$(BIN)/python scripts/console_size.py

# The console's typed client, after a change of the interface.
client:
	$(BIN)/python scripts/console_client.py

setup: $(VENV)/.installed $(VENV)/.console
	@$(BIN)/sandglass weights pull

setup-test: $(VENV)/.installed-test $(VENV)/.console
	@scripts/install_test_services
	@$(BIN)/sandglass weights pull

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) scripts/require_python.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo 'Installing Sandglass and its packages into $(VENV): some minutes the first time'
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[benchmarks]'
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo 'Installing what the checks need'
	@$(PIP) install --quiet --constraint constraints.txt --editable '.[benchmarks,dev,postgres]'
	@touch $@

# Installing has built the console already; this is for sources that changed since.
$(VENV)/.console: $(CONSOLE) $(VENV)/.installed
	@$(BIN)/python scripts/console_build.py --check || { echo 'Building the web console' && $(PIP) install --quiet --no-deps --editable .; }
	@touch $@

clean:
	rm -rf $(VENV) build dist src/sandglass/console console/node_modules
