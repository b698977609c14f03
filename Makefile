# A newcomer needs only `make run` and `make test`. Both first update .venv from the lock.
PYTHON ?= python3
TESTS ?=

BIN := .venv/bin
# An explicit Python (make PYTHON=python3.12 test) has its own stamp files, so that .venv is rebuilt for it.
NAMED := $(filter-out file,$(origin PYTHON))
OF_PYTHON := $(if $(NAMED),-$(notdir $(PYTHON)))
# The stamp files of the packages for `make run`, and of those for all other targets, which include the former.
RUNNABLE := .venv/.run$(OF_PYTHON)
READY := .venv/.dev$(OF_PYTHON)
NODE_LOCKS := $(addsuffix /package-lock.json,console examples/javascript scripts/schema_tools)
# Without a header and an index URL: a lock states which packages are installed, but not from which host.
LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	--python-version 3.11
AUDIT := $(BIN)/python -m scripts.audit

.DEFAULT_GOAL := help
.PHONY: help setup run test short-tests tests test-all test-postgres test-servers soak soak-api faults restarts costs starve bench bench-quick check catalogs audit sbom lock clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 13

setup: $(READY) ## Create .venv from the lock, or update it.

run: $(RUNNABLE) ## Start everything: PostgreSQL, Valkey, the API with the console, and the worker.
	@$(BIN)/python -m scripts.build_console --tidy & $(BIN)/renewals up $(if $(DATA_DIR),--data-dir=$(DATA_DIR))

# Tests that kill processes, attack a server, measure, build a wheel or start a browser. Other long tests have a marker.
LONG_TESTS := $(addprefix tests/,browser chaos costs deploy load model_based mutation races workers \
	graphql_api/devserver graphql_api/server renewals/auto_renewal/test_kills.py renewals/webhooks/test_workers.py)

# Hundreds of processes import the same modules, so compiled modules are saved even if the environment prevents it.
# There are four workers, because tests wait for PostgreSQL, processes and clocks. Idle workers take over tests.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist worksteal

# The checks run in parallel with the tests, because mypy uses one processor for more than a minute.
test: ## Check the code, and run the tests except the long ones (TESTS=tests/renewals selects tests).
	@$(MAKE) --no-print-directory --jobs=2 check short-tests

short-tests: $(READY)
	$(PYTEST) $(or $(TESTS),tests -m "not long" $(addprefix --ignore=,$(LONG_TESTS)))

# All tests run in one session, because the long ones mostly wait, and leave the processors to the others.
test-all: ## Check the code, and run all tests; then run the tests of the database on another PostgreSQL.
	@$(MAKE) --no-print-directory --jobs=2 check tests
	@$(MAKE) --no-print-directory test-postgres

tests: $(READY)
	$(PYTEST) tests

# Debian installs each version in its own folder. The oldest is used, because it lacks the most features.
POSTGRES_BIN ?= $(patsubst %/initdb,%,$(firstword $(sort $(wildcard /usr/lib/postgresql/*/bin/initdb))))
DATABASE_TESTS := $(addprefix tests/,$(addsuffix .py,docs/test_adopting graphql_api/rest/test_exports \
	races/test_renew_races renewals/auto_renewal/test_chunks \
	$(addprefix renewals/db/test_,advisory_locks connection guards sql) \
	$(addprefix schema/customer/test_,index_order instances instances_paging renew_instances)))

test-postgres: $(READY) ## Run the database tests on another PostgreSQL (POSTGRES_BIN=/usr/lib/postgresql/15/bin).
	$(if $(POSTGRES_BIN),$(PYTEST) --postgres-bin=$(POSTGRES_BIN) \
		$(DATABASE_TESTS),@echo "No other PostgreSQL was found in /usr/lib/postgresql, so these tests were skipped. Set POSTGRES_BIN.")

# The other tests that use Redis.
REDIS_TESTS := $(addprefix tests/,graphql_api/limits renewals/events/test_pubsub.py)

test-servers: $(READY) ## Run the tests of the database and of Redis on the servers of DATABASE_URL and REDIS_URL.
	$(PYTEST) $(DATABASE_TESTS) $(REDIS_TESTS)

soak: $(READY) ## Compare random actions with a model of the rules (STEPS=20000, SECONDS=600, or SEED=1 to repeat a round).
	SOAK_STEPS=$(or $(STEPS),$(if $(SECONDS),,20000)) SOAK_SECONDS=$(SECONDS) SOAK_SEED=$(SEED) \
		$(BIN)/python -m pytest --quiet --capture=no tests/model_based/soak.py

faults: $(READY) ## Kill processes, lose commits and flush the queue, thousands of times (TIMES=10, ONLY="postgres zombies").
	$(BIN)/python -m tests.chaos $(if $(TIMES),--times $(TIMES)) $(if $(ONLY),--only $(ONLY))

restarts: $(READY) ## Replace every process under load in two ways; no request may be lost (SECONDS=60 TIMES=4).
	$(BIN)/python -m tests.load.restarts $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TIMES),--times $(TIMES))

soak-api: $(READY) ## Serve a mixture of requests, and check that no process's memory grows (MINUTES=10).
	$(BIN)/python -m tests.load.soak $(if $(MINUTES),--minutes $(MINUTES))

starve: $(READY) ## Attack with one key, and check that another account is not slowed down (SECONDS=10 ONLY=outlook,pages).
	$(BIN)/python -m tests.load.starve $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY))

costs: $(READY) ## Compare the processor time of requests with their query cost (INSTANCES=20000).
	$(BIN)/python -m tests.costs $(if $(INSTANCES),--instances $(INSTANCES))

bench: $(READY) ## Measure the API and its peers; write docs/performance (ONLY=reads,open-loop ROUNDS=3 RESUME=1).
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(RESUME),--resume)

bench-quick: $(READY) ## Run small and short benchmarks, and publish nothing.
	$(BIN)/python -m benchmarks --quick $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

check: $(READY) ## Check style, types, imports, schemas, translations, the pages of errors, and known vulnerabilities.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/renewals schema --check
	$(BIN)/python -m scripts.schema_policy
	$(BIN)/python -m scripts.catalogs --check
	$(BIN)/python -m scripts.error_pages --check
	@$(AUDIT)

catalogs: $(READY) ## Add new messages to the catalogs of translations, and remove those that no longer exist.
	$(BIN)/python -m scripts.catalogs

audit: $(READY) ## Check the dependencies for known vulnerabilities; print a message if the check is not possible.
	@$(AUDIT)

sbom: $(READY) ## Write build/sbom.json: the dependencies with their versions and hashes, as CycloneDX 1.6.
	$(BIN)/python -m scripts.sbom build/sbom.json

lock: ## Compile the locks again (requires uv; UPGRADE=--upgrade selects the newest versions).
	$(LOCK) $(UPGRADE) --output-file requirements/run.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/run.txt --extra embedded --group build \
		--output-file requirements/embedded.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/run.txt --extra mcp --output-file requirements/mcp.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/embedded.txt --constraints requirements/mcp.txt \
		--extra embedded --extra mcp --extra dev \
		--output-file requirements/dev.txt pyproject.toml
	$(LOCK) $(UPGRADE) --output-file clients/python/codegen-requirements.txt clients/python/codegen-requirements.in

clean: ## Remove .venv and the caches; keep the embedded servers' data in .renewals.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

define SET_UP
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Python 3.11 or later is required, and $(PYTHON) is older. Run: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
@$(PYTHON) scripts/set_up.py $(1) $(if $(NAMED),--by-this-python)
endef

$(RUNNABLE): requirements/embedded.txt pyproject.toml scripts/set_up.py
	$(call SET_UP,run)
	@touch .venv/.run $@

$(READY): requirements/dev.txt pyproject.toml scripts/set_up.py $(NODE_LOCKS)
	$(call SET_UP,dev)
	@touch .venv/.run $(RUNNABLE) .venv/.dev $@
