# Every command works from a fresh checkout; the first one installs into .venv.
# Paths are relative, so that a checkout below a folder with a blank in its name works.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install demo test tests test-deep lint style types bench chaos fleet fuzz picture \
        emulators reference extracts versions site release clean

help:
	@echo 'make install        the package and its tools, into .venv'
	@echo 'make demo           sample data, local orgs and platform, a cycle of each account, Dagster UI'
	@echo 'make demo ONCE=1    the same, ending after the table; fails if an account ended wrong'
	@echo 'make test           linters, types and tests'
	@echo 'make test-deep      the rest of the tests: whole matrices, long searches, slow stacks'
	@echo 'make bench          the loader beside other programs, small (BENCH="--rows 10000" for more)'
	@echo 'make chaos          faults at every place, minutes long: nothing lost, nothing twice'
	@echo 'make fleet          workers, Redis, PostgreSQL as hosts that go (ACCOUNTS=500)'
	@echo 'make versions       a former version beside this one, on one database (FROM=COMMIT)'
	@echo 'make emulators      the extracts in an emulator of Snowflake, and as BigQuery takes them'
	@echo 'make fuzz           examples that no test has seen, thousands of requests to the listener'
	@echo 'make reference      docs/commands.md anew, and tables of settings, errors and views'
	@echo 'make extracts       sql/extract/<dialect>/ anew, made of the extracts of PostgreSQL'
	@echo 'make site           the documentation as pages, into site/'
	@echo 'make release        VERSION=0.2.0: tests, version, notes, commit, tag and wheels; pushes nothing'
	@echo 'make picture        docs/*.png anew, of a demo that runs (UI=http://127.0.0.1:3000)'
	@echo 'make clean          removes what demo and tests left (.data)'

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@for python in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	    2>/dev/null; then break; fi; python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'Python 3.11, 3.12 or 3.13 is needed: install one, or name it: make PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	echo "Installing into .venv with $$("$$python" --version)"; \
	"$$python" -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev]'
	@grep -qs '^DAGSTER_HOME=' .env || printf 'DAGSTER_HOME="%s"\n' "$$PWD" >> .env
	@touch .venv/installed

demo: install
	@.venv/bin/crm-pipeline demo $(if $(ONCE),--once)

lint: style types

style: install
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports

types: install
	.venv/bin/mypy

# The types are checked beside the tests: without its cache mypy takes as long as a tenth of them.
test: style
	@$(MAKE) --no-print-directory -j 2 types tests

# More workers than cores, as some tests wait for a clock or a process while others compute.
# What is compiled is kept, for the many processes that the tests start. `make test TIER=` runs both
# tiers at once: tests are collected once then, and no worker waits for the end of the first tier.
PYTEST := PYTHONDONTWRITEBYTECODE= .venv/bin/pytest -n 4 --dist loadfile --no-loadscope-reorder

TIER := -m 'not deep'
tests: install
	$(PYTEST) $(TIER)

test-deep: install
	$(PYTEST) -m deep

# Sizes that take seconds; the goals are about FLOWS='--rows 10000'.
FLOWS := --rows 1000
bench: .venv/bench
	@.venv/bin/python -m benchmarks load $(BENCH)
	@.venv/bin/python -m benchmarks records
	@.venv/bin/python -m benchmarks leads $(FLOWS)
	@.venv/bin/python -m benchmarks opportunities $(FLOWS)
	@.venv/bin/python -m benchmarks engagement $(FLOWS)

.venv/bench: .venv/installed
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[dev,bench]'
	@touch .venv/bench

chaos: install
	@.venv/bin/python -m crm_pipeline_tests.chaos $(CHAOS)

# Needs redis-server. The files have names that `make test` does not collect.
ACCOUNTS := 24
fleet: install
	@FLEET_ACCOUNTS=$(ACCOUNTS) .venv/bin/pytest -q --durations 3 \
	  crm_pipeline_tests/fleet/hosts_go.py crm_pipeline_tests/fleet/postgres_goes.py

# The emulator knows connectors before 5, with which the dialect works, although it asks for later ones.
emulators: .venv/emulators
	@.venv/bin/pytest -q crm_pipeline_tests/sources/emulated.py

.venv/emulators: .venv/installed
	@grep -v '^snowflake' constraints.txt > .venv/emulators.txt
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint .venv/emulators.txt fakesnow==0.12.1 snowflake-connector-python==4.8.1 \
	  sqlalchemy-bigquery==1.17.3
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  snowflake-sqlalchemy==2.1.0
	@touch .venv/emulators

# Beside a former version, which the history has: a commit or a tag. Not among the tests.
versions: install
	@FORMER_VERSION='$(FROM)' .venv/bin/pytest -q crm_pipeline_tests/fleet/two_versions.py

extracts: install
	@.venv/bin/python -m crm_pipeline_tests.sources.dialects

reference: install
	@.venv/bin/python -m typer crm_pipeline.cli.app utils docs --name crm-pipeline \
	  --output docs/commands.md
	@.venv/bin/python -m crm_pipeline.reference

# The first warning would be a notice of the theme's makers.
site: install
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict

# Everything is checked before anything is written.
CHECK := $(MAKE) --no-print-directory test TIER= && $(MAKE) --no-print-directory site
release: install
	@echo '$(VERSION)' | grep -qE '^[0-9]+\.[0-9]+\.[0-9]+$$' || { echo 'Name it: make release VERSION=0.2.0' >&2; exit 1; }
	@test -z "$$(git status --porcelain)" || { echo 'Commit or drop what is changed first.' >&2; exit 1; }
	@! git rev-parse -q --verify 'refs/tags/v$(VERSION)' >/dev/null || { echo 'Version $(VERSION) is there already.' >&2; exit 1; }
	@sed -n '/^## Unreleased/,$$p' CHANGELOG.md | sed 1d | sed '/^## /,$$d' | grep -q . || { echo 'CHANGELOG.md says nothing below "Unreleased".' >&2; exit 1; }
	@$(CHECK)
	@sed -i 's/^version = .*/version = "$(VERSION)"/; s/"crm-pipeline-demo==[^"]*"/"crm-pipeline-demo==$(VERSION)"/' pyproject.toml
	@sed -i "s/^## Unreleased/## Unreleased\n\n## $(VERSION), $$(date -u +%Y-%m-%d)/" CHANGELOG.md
	@git commit -qam 'Release $(VERSION)' && git tag 'v$(VERSION)'
	@rm -rf dist && .venv/bin/python -m pip wheel -q --disable-pip-version-check --no-deps -w dist . ./deploy/demo-wheel
	@if docker info >/dev/null 2>&1 && [ -f deploy/Dockerfile ]; then docker build -q -f deploy/Dockerfile -t 'crm-pipeline:$(VERSION)' .; \
	  else echo 'No image: Docker does not run here.'; fi
	@echo 'Release $(VERSION) is committed and tagged; its wheels are in dist/. Push: git push --follow-tags'

fuzz: install
	.venv/bin/pytest -q -n 2 -m 'hypothesis and not deep' --hypothesis-profile='any machine'
	FUZZ_EXAMPLES=$(or $(FUZZ),1000) .venv/bin/pytest -q -n 2 \
	  crm_pipeline_tests/listener/test_own_description.py

# Needs Chromium.
UI := http://127.0.0.1:3000
picture: install
	@.venv/bin/python -m crm_pipeline_tests.console.pictures --ui '$(UI)'

clean:
	@if [ -x .venv/bin/python ]; then .venv/bin/python -m crm_pipeline.demo.clean; fi
	rm -rf .data history logs schedules storage .telemetry .nux .logs_queue
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
