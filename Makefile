# The commands of the project; `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT_INSTALL = $(SUDO) apt-get update -qq && $(SUDO) apt-get install -qq --yes

export GATEWAY_PORT ?= 8080
export GRPC_PORT ?= 8500
export REST_PORT ?= 8501

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
# The cascade of the studio's first picture; services/gateway/README.md explains it.
run: export LECTERN_CASCADES ?= auto=mimic>cnn_best@0.7622
run: $(VENV)/local ## Start the model server and the gateway (GATEWAY_PORT, GRPC_PORT, REST_PORT, VERBOSE=1)
	@exec $(BIN)/python -m services

.PHONY: docs
docs: $(VENV)/dev ## Build the manual into site/, without the network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "The manual is site/index.html; for its search: $(BIN)/python -m http.server --directory site"

.PHONY: test
test: lint ## Lint, check types and layers, run the tests that need only this repository
	$(BIN)/pytest -m "not applications and not browser and not compose and not dataset and not hostile and not kubernetes and not packages"

.PHONY: test-dataset
test-dataset: $(VENV)/dev ## Run the tests that need the real Fashion-MNIST
	$(BIN)/pytest -m dataset

.PHONY: test-applications
test-applications: $(VENV)/dev ## Export large networks of keras.applications with every task
	$(BIN)/pytest -m applications

.PHONY: test-packages
test-packages: $(VENV)/dev ## Build the packages, and install the client alone
	$(BIN)/pytest -m packages

.PHONY: test-hostile
test-hostile: $(VENV)/dev ## Send what could take the services down, and see that it does not
	$(BIN)/pytest -m hostile

.PHONY: test-native
test-native: $(VENV)/dev ## Run the tests of gRPC on the other transport, pygrpc-native
	LECTERN_GRPC_TRANSPORT=native $(BIN)/pytest tests/contract/test_grpc.py tests/contract/test_grpc_v2.py \
	  tests/services/model_server/grpc_api --ignore tests/services/model_server/grpc_api/test_transport.py \
	  tests/services/model_server/test_server.py::test_starts_answers_and_drains \
	  tests/services/model_server/test_server.py::test_sigterm_loses_no_request_over_grpc \
	  tests/services/model_server/test_faults.py::test_grpc_clients_that_leave_the_queue_do_not_run

.PHONY: test-browser
test-browser: $(VENV)/dev ## Test the studio in a real browser
	@command -v chromium >/dev/null || { \
	  echo "Chromium is missing; installing Debian's package chromium …"; $(APT_INSTALL) chromium; }
	$(BIN)/pytest -m browser

.PHONY: test-compose
test-compose: $(VENV)/dev ## Test the containers (installs Docker on Debian if it is missing)
	$(BIN)/pytest -m compose

.PHONY: test-k8s
test-k8s: $(VENV)/dev ## Check the Kubernetes manifests, run their pods with podman (installs missing Debian packages)
	$(BIN)/pytest -m kubernetes

.PHONY: test-cluster
test-cluster: $(VENV)/dev ## Deploy to the cluster of KUBECONFIG, restart the pods under load, delete everything
	$(BIN)/pytest tests/cluster/rollout.py

.PHONY: mutation
mutation: $(VENV)/dev ## Send 20,000 mutated requests of every call (MUTATIONS, SEED)
	$(BIN)/python -m tests.hostile.mutation $(or $(MUTATIONS),20000) --seed $(or $(SEED),0)

.PHONY: fuzz
fuzz: $(VENV)/dev ## Fuzz what reads a client's bytes, guided by coverage, for an hour (SECONDS_TO_FUZZ)
	$(PIP) install --constraint constraints.txt --requirement requirements/fuzz.txt
	$(BIN)/python -m tests.hostile.fuzz $(or $(SECONDS_TO_FUZZ),3600)

.PHONY: bench
bench: $(VENV)/dev ## Measure the suite beside its installed peers (BENCH_ARGS: benchmarks/README.md)
	@command -v wrk >/dev/null && command -v h2load >/dev/null || { \
	  echo "wrk or h2load is missing; installing Debian's wrk and nghttp2-client …"; \
	  $(APT_INSTALL) wrk nghttp2-client; }
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

.PHONY: lint
lint: $(VENV)/dev ## Check style, types, and imports between packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: format
format: $(VENV)/dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: setup
setup: $(VENV)/dev ## Install everything for development into .venv
	@echo "Ready: $(BIN)/python"

.PHONY: constraints
constraints: $(VENV)/dev ## Write the installed versions to constraints.txt
	@{ echo '# The exact versions that are tested together. Regenerate with `make constraints`.'; \
	   $(BIN)/pip freeze --exclude-editable | grep -v '^#'; } > constraints.new
	@mv constraints.new constraints.txt

.PHONY: clean
clean: ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

# Two stamps, so that `make run` does not install the test tools.
$(VENV)/local: pyproject.toml constraints.txt $(wildcard requirements/*.txt) | $(VENV)/pip
	@echo "Installing the gateway and the model server: 1.5 GB in $(VENV), 2 to 5 minutes, once …"
	@$(PIP) install --constraint constraints.txt --requirement requirements/local.txt
	@$(PIP) install --constraint constraints.txt --no-deps tensorflow-serving-api --editable .
	@touch $@

$(VENV)/dev: pyproject.toml constraints.txt $(wildcard requirements/*.txt) | $(VENV)/pip
	@command -v curl >/dev/null || { \
	  echo "curl is missing, which the README tests need; installing it …"; $(APT_INSTALL) curl; }
	@echo "Installing everything for development: 3 GB in $(VENV), 3 to 8 minutes, once …"
	@$(PIP) install --constraint constraints.txt --requirement requirements/dev.txt
	@$(PIP) install --constraint constraints.txt --no-deps tensorflow-serving-api --editable .
	@touch $@ $(VENV)/local

$(VENV)/pip:
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11)' 2>/dev/null || { \
	  echo "Lectern needs Python 3.11 or newer as '$(PYTHON)', received $$($(PYTHON) --version 2>&1):" \
	    "install it, or set PYTHON to another interpreter"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "Python's ensurepip is missing; installing Debian's package python3-venv …"; \
	  $(APT_INSTALL) python3-venv; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@
