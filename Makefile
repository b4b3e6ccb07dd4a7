# The commands of this project; `make` lists them. People and CI run the same.
# The environment is .venv, made from the locked, hashed lists: nothing else is installed anywhere.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

# The tests start some hundred processes: each would compile Dagster's 1,880 modules for itself.
unexport PYTHONDONTWRITEBYTECODE

# --no-deps: the lists are complete, and older pips stumble over extras in hash mode.
# --no-compile: of 15,000 modules a run uses 2,000, and those are compiled below: where .venv cannot be
# written to later, or nobody writes bytecode, each process would compile them again for itself.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps --no-compile

.PHONY: help setup demo dev test check kills waits plans chaos broken drill deployment reliability retail shops clients infra bench conformance notebook pictures rooms signatures lint types fmt lock clean distclean

help: ## list the targets
	@echo "make <target> [PYTHON=python3.12]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.setup ## make .venv with everything a run needs

demo: setup ## a living shop from MySQL to the marts, on this machine
	@$(BIN)/orderhe demo $(ARGS)

dev: setup ## the Dagster UI on the same state
	@$(BIN)/orderhe dev $(ARGS)

test: $(VENV)/.dev ## all tests (ARGS="-k history" picks some)
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint types ## lint, types, and the tests of the house's own rules
	@$(BIN)/python -m pytest orderhe_dagster_tests/test_house.py \
		orderhe_dagster_tests/test_documents.py local_redshift/tests/test_house.py

# What these come to is noted for docs/reliability.md.
kills waits broken drill: export RECORD_RESULTS := 1

kills: $(VENV)/.dev ## kill, interrupt, pause and crowd runs at every boundary (long)
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.kills $(ARGS)
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.kills --signal INT --points 20
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.kills --random 20
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.zombies
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.crowds
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.restore_kills
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.flips
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.janitor_beside --minutes 10
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.own_files

waits: $(VENV)/.dev ## stop every server at every request, kill every kind of run; TLS and plain (long)
	@LONG_TESTS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile \
		-p orderhe_dagster_tests.reliability.waits orderhe_dagster_tests/faults $(ARGS)

plans: $(VENV)/.dev ## plan and run every drawn state of a shop, and compare the two (long)
	@LONG_TESTS=1 $(BIN)/python -m pytest orderhe_dagster_tests/commands/test_plan.py $(ARGS)

chaos: $(VENV)/.dev ## attack runs on MariaDB, S3 and Redshift's wire, seed by seed (long; ARGS="--seeds 0-99 --minutes 30")
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.chaos.run $(ARGS)

reliability: $(VENV)/.dev ## write docs/reliability.md from what kills, waits, chaos, broken and drill came to
	@$(BIN)/python -m orderhe_dagster_tests.reliability.page $(ARGS)

broken: $(VENV)/.dev ## break the road in eight ways, each of which must turn a test red; lists them in docs/reliability.md
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.faults.broken --write $(ARGS)

drill: $(VENV)/.dev ## damage source, backup, warehouse and marts for ten nights, on all systems (long)
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.drill.nights $(ARGS)

deployment: $(VENV)/.dev ## run the recipes of deploy/ by both ways, and kill their runs (long)
	@LONG_TESTS=1 $(BIN)/python -m pytest orderhe_dagster_tests/deploy $(ARGS)

retail: $(VENV)/.dev ## the Online Retail shop on MySQL, S3 and Redshift too (long; needs its data)
	@LONG_TESTS=1 $(BIN)/python -m pytest orderhe_dagster_tests/test_online_retail.py $(ARGS)

shops: $(VENV)/.dev ## adopt, start and run six shop systems, their figures counted by hand (long)
	@LONG_TESTS=1 $(BIN)/python -m pytest orderhe_dagster_tests/intake/shops_of_others $(ARGS)

clients: $(VENV)/.dev ## strangers' clients against the local Redshift (dbt, awswrangler, SQLAlchemy)
	@[ -x .orderhe/clients/bin/python ] || $(PYTHON) -m venv .orderhe/clients
	@.orderhe/clients/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--no-compile --require-hashes -r clients/requirements.lock
	@$(BIN)/python clients/run.py --python .orderhe/clients/bin/python $(ARGS)

infra: $(VENV)/.dev ## cfn-lint and checkov over the templates of infra/ (checkov in an environment of its own)
	@$(BIN)/cfn-lint infra/*.yaml
	@[ -x .orderhe/checkov/bin/python ] || $(PYTHON) -m venv .orderhe/checkov
	@.orderhe/checkov/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--no-compile --require-hashes -r infra/checkov.lock
	@.orderhe/checkov/bin/checkov --directory infra --framework cloudformation --compact --quiet \
		--skip-download $(ARGS)

bench: $(VENV)/.dev ## measure the road beside its peers (long; ARGS=--quick: minutes)
	@$(call contestants,requirements) && $(call contestants,ingestr)
	@$(BIN)/python -W ignore -m benchmarks.bench $(ARGS)

# Contestants that cannot be installed are not run; the bench says so.
define contestants
{ cmp -s benchmarks/contestants/$(1).lock .orderhe/bench/$(1)/.lock || \
	{ rm -rf .orderhe/bench/$(1) && $(PYTHON) -m venv .orderhe/bench/$(1) && \
	.orderhe/bench/$(1)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
		--require-hashes -r benchmarks/contestants/$(1).lock && \
	cp benchmarks/contestants/$(1).lock .orderhe/bench/$(1)/.lock; } || \
	echo "the contestants of benchmarks/contestants/$(1).lock cannot be installed: they are not run" >&2; }
endef

pictures: $(VENV)/.dev ## take the documents' pictures of a new demo (ARGS="--state .orderhe": of yours)
	@$(BIN)/python -W ignore -m orderhe_dagster_tests.screenshots $(ARGS)

conformance: $(VENV)/.dev ## ask the Redshift of ORDERHE_REDSHIFT_* what the tests expect; writes conformance.json
	@ORDERHE_WAREHOUSE=redshift $(BIN)/python -m orderhe_dagster_tests.conformance $(ARGS)

notebook: $(VENV)/.dev ## run examples/walkthrough.ipynb anew and keep its outputs
	@$(BIN)/python -m orderhe_dagster_tests.notebooks $(ARGS)

signatures: ## write the table of `orderhe doctor` into docs/doctor.md
	@$(BIN)/python -m orderhe_dagster_tests.doctor_page

rooms: ## write the lists of rooms and modules: docs/architecture.md, local_redshift/docs/rooms.md
	@$(PYTHON) -m orderhe_dagster_tests.rooms
	@cd local_redshift && $(PYTHON) -m tests.house

lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

fmt: $(VENV)/.dev ## put the code into ruff's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-header --no-annotate
LOCK := $(COMPILE) pyproject.toml local_redshift/pyproject.toml

lock: $(VENV)/.dev ## write the locked lists again (ARGS=--upgrade for newer versions)
	$(LOCK) $(ARGS) --output-file requirements.lock
	$(LOCK) $(ARGS) --extra production --constraint requirements.lock \
		--output-file requirements-production.lock
	$(LOCK) $(ARGS) --extra dev --extra production --constraint requirements-production.lock \
		--output-file requirements-dev.lock
	for each in requirements ingestr; do $(COMPILE) $(ARGS) benchmarks/contestants/$$each.in \
		--output-file benchmarks/contestants/$$each.lock; done
	$(COMPILE) $(ARGS) infra/checkov.in --output-file infra/checkov.lock

clean: ## remove the state (.orderhe) and all caches
	@rm -rf .orderhe .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## … and .venv
	@rm -rf $(VENV)

$(VENV)/.setup: requirements.lock pyproject.toml setup.py local_redshift/pyproject.toml
	@$(call venv)
	@echo "installing from $<"
	@touch $(VENV)/.installing
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-build-isolation --editable ./local_redshift --editable .
	@$(call compile)
	@rm $(VENV)/.installing
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.setup
	@echo "installing from $<"
	@touch $(VENV)/.installing
	@$(PIP) --require-hashes -r $<
	@rm $(VENV)/.installing
	@touch $@

# What a run and the UI import, as far as the lists have it.
USED := dagster dagster_shared dagster_pipes dagster_graphql dagster_webserver graphql graphene starlette \
	uvicorn anyio h11 sqlalchemy alembic mako antlr4 structlog fsspec upath pydantic pydantic_core rich \
	pygments click yaml watchdog docstring_parser tqdm humanfriendly coloredlogs dotenv dateutil pytz attr \
	filelock packaging toposort.py typing_extensions.py six.py sqlglot duckdb pyarrow numpy pymysql boto3 \
	botocore s3transfer urllib3 jmespath redshift_connector

define compile
$(BIN)/python -m compileall -q -j 0 orderhe_dagster local_redshift/src && \
cd $(VENV)/lib/python3.*/site-packages && \
../../../bin/python -m compileall -q -j 0 $$(ls -d $(USED) 2>/dev/null)
endef

# Make .venv where there is none that works. An installation that was interrupted may have left
# half a package that looks whole, so it is begun afresh.
define venv
if [ -e $(VENV)/.installing ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	$(call python) && \
	rm -rf $(VENV) && mkdir $(VENV) && touch $(VENV)/.installing && \
	echo "making $(VENV) with $$($(PYTHON) --version)" && $(PYTHON) -m venv $(VENV); \
fi
endef

define python
{ command -v $(PYTHON) >/dev/null || \
	{ echo "there is no $(PYTHON): install Python 3.10 to 3.14, or name one: make PYTHON=…" >&2; exit 1; }; } && \
{ $(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 15))' || \
	{ echo "$$($(PYTHON) --version 2>&1) does not fit: Python 3.10 to 3.14 is needed; name one:" \
	"make PYTHON=python3.12" >&2; exit 1; }; } && \
{ $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	{ echo "$(PYTHON) cannot make environments: install its venv module" \
	"(Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }; }
endef
