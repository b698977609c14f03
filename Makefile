# `make run` and `make test` are all that a newcomer needs; both first bring .venv up to date with the lock.
PYTHON ?= python3
TESTS ?=

BIN := .venv/bin
# A Python named by hand (make PYTHON=python3.12 test) has stamps of its own, so that .venv is made anew for it.
NAMED := $(filter-out file,$(origin PYTHON))
OF_PYTHON := $(if $(NAMED),-$(notdir $(PYTHON)))
# What `make run` needs, and what all else needs, which holds the first.
RUNNABLE := .venv/.run$(OF_PYTHON)
READY := .venv/.dev$(OF_PYTHON)
NODE_LOCKS := $(addsuffix /package-lock.json,console examples/javascript scripts/schema_tools)
# No header and no index: a lock says what is installed, never from which host.
LOCK := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	--python-version 3.11
AUDIT := $(BIN)/python -m scripts.audit

.DEFAULT_GOAL := help
.PHONY: help setup run test short-tests tests test-all test-postgres test-servers soak soak-api faults restarts costs starve bench bench-quick check catalogs audit sbom lock clean

help: ## List these targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 13

setup: $(READY) ## Make .venv from the lock, where it is stale.

run: $(RUNNABLE) ## Start everything: PostgreSQL, Valkey, the API with the console, and the worker.
	@$(BIN)/python -m scripts.build_console --tidy & $(BIN)/renewals up $(if $(DATA_DIR),--data-dir=$(DATA_DIR))

# Tests that kill processes, attack a server, measure, build a wheel or start a browser, beside those marked as long.
LONG_TESTS := $(addprefix tests/,browser chaos costs deploy load model_based mutation races workers \
	graphql_api/devserver graphql_api/server renewals/auto_renewal/test_kills.py renewals/webhooks/test_workers.py)

# Hundreds of processes import the same modules: keep what one of them has compiled, whatever the environment says.
# Four workers, because tests wait for PostgreSQL, processes and clocks; one that is idle takes from the others.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 4 --dist worksteal

# The checks run beside the tests, because mypy uses one processor for more than a minute.
test: ## Check the code and run the tests without the long ones (TESTS=tests/renewals for some of them).
	@$(MAKE) --no-print-directory --jobs=2 check short-tests

short-tests: $(READY)
	$(PYTEST) $(or $(TESTS),tests -m "not long" $(addprefix --ignore=,$(LONG_TESTS)))

# One session for all tests: the long ones mostly wait, and leave the processors to the others.
test-all: ## The same with the long tests, then the tests of the database on another PostgreSQL.
	@$(MAKE) --no-print-directory --jobs=2 check tests
	@$(MAKE) --no-print-directory test-postgres

tests: $(READY)
	$(PYTEST) tests

# Debian keeps each version's programs in a folder of its own; the oldest has the most to lack.
POSTGRES_BIN ?= $(patsubst %/initdb,%,$(firstword $(sort $(wildcard /usr/lib/postgresql/*/bin/initdb))))
DATABASE_TESTS := $(addprefix tests/,$(addsuffix .py,docs/test_adopting graphql_api/rest/test_exports \
	races/test_renew_races renewals/auto_renewal/test_chunks \
	$(addprefix renewals/db/test_,advisory_locks connection guards sql) \
	$(addprefix schema/customer/test_,index_order instances instances_paging renew_instances)))

test-postgres: $(READY) ## Run the tests of the database on another PostgreSQL (POSTGRES_BIN=/usr/lib/postgresql/15/bin).
	$(if $(POSTGRES_BIN),$(PYTEST) --postgres-bin=$(POSTGRES_BIN) \
		$(DATABASE_TESTS),@echo "There is no PostgreSQL in /usr/lib/postgresql: the tests ran on the embedded one.")

# What else talks to Redis.
REDIS_TESTS := $(addprefix tests/,graphql_api/limits renewals/events/test_pubsub.py)

test-servers: $(READY) ## Run the same tests, and those of Redis, on the servers of DATABASE_URL and REDIS_URL.
	$(PYTEST) $(DATABASE_TESTS) $(REDIS_TESTS)

soak: $(READY) ## Try the rules against a model at random (STEPS=20000, SECONDS=600, or SEED=1 for one round again).
	SOAK_STEPS=$(or $(STEPS),$(if $(SECONDS),,20000)) SOAK_SECONDS=$(SECONDS) SOAK_SEED=$(SEED) \
		$(BIN)/python -m pytest --quiet --capture=no tests/model_based/soak.py

faults: $(READY) ## Kill, cut and flush it by the thousand (TIMES=10, ONLY="postgres zombies").
	$(BIN)/python -m tests.chaos $(if $(TIMES),--times $(TIMES)) $(if $(ONLY),--only $(ONLY))

restarts: $(READY) ## Replace every process under load, for a minute each way (SECONDS=60 TIMES=4); none may be lost.
	$(BIN)/python -m tests.load.restarts $(if $(SECONDS),--seconds $(SECONDS)) $(if $(TIMES),--times $(TIMES))

soak-api: $(READY) ## Serve a mixture and see that no process's memory grows (MINUTES=10).
	$(BIN)/python -m tests.load.soak $(if $(MINUTES),--minutes $(MINUTES))

starve: $(READY) ## Attack with one key, and measure that another account is not slowed down (SECONDS=10 ONLY=outlook,pages).
	$(BIN)/python -m tests.load.starve $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY))

costs: $(READY) ## Measure what requests take of the processors for their cost (INSTANCES=20000).
	$(BIN)/python -m tests.costs $(if $(INSTANCES),--instances $(INSTANCES))

bench: $(READY) ## Measure beside its peers, into docs/performance (ONLY=reads,open-loop ROUNDS=3 RESUME=1).
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(RESUME),--resume)

bench-quick: $(READY) ## The same, small and short; nothing is published.
	$(BIN)/python -m benchmarks --quick $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

check: $(READY) ## Lint, formatting, types, the direction of imports, the schemas and their policy, the translations, the pages of errors, and the audit.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/renewals schema --check
	$(BIN)/python -m scripts.schema_policy
	$(BIN)/python -m scripts.catalogs --check
	$(BIN)/python -m scripts.error_pages --check
	@$(AUDIT)

catalogs: $(READY) ## Add new sentences to the catalogs of translations, and remove those that are gone.
	$(BIN)/python -m scripts.catalogs

audit: $(READY) ## Ask whether a vulnerability of what we run on is known; says so where it cannot be asked.
	@$(AUDIT)

sbom: $(READY) ## Write build/sbom.json: what we run on, with versions and hashes, as CycloneDX 1.6.
	$(BIN)/python -m scripts.sbom build/sbom.json

lock: ## Compile the locks anew (needs uv; UPGRADE=--upgrade takes the newest versions).
	$(LOCK) $(UPGRADE) --output-file requirements/run.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/run.txt --extra embedded --group build \
		--output-file requirements/embedded.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/run.txt --extra mcp --output-file requirements/mcp.txt pyproject.toml
	$(LOCK) $(UPGRADE) --constraints requirements/embedded.txt --constraints requirements/mcp.txt \
		--extra embedded --extra mcp --extra dev \
		--output-file requirements/dev.txt pyproject.toml
	$(LOCK) $(UPGRADE) --output-file clients/python/codegen-requirements.txt clients/python/codegen-requirements.in

clean: ## Remove .venv and the caches; the embedded servers' data in .renewals stays.
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

define SET_UP
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "Python 3.11 or newer is needed, and $(PYTHON) is not: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
@$(PYTHON) scripts/set_up.py $(1) $(if $(NAMED),--by-this-python)
endef

$(RUNNABLE): requirements/embedded.txt pyproject.toml scripts/set_up.py
	$(call SET_UP,run)
	@touch .venv/.run $@

$(READY): requirements/dev.txt pyproject.toml scripts/set_up.py $(NODE_LOCKS)
	$(call SET_UP,dev)
	@touch .venv/.run $(RUNNABLE) .venv/.dev $@
