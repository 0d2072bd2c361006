# One command per need; `make help` lists them. A target is a line or two: longer work is in scripts/.
PYTHON ?= python3
RUN := .venv/bin/
MINUTES ?= 20
export PYTHONPATH := .:proto/gen

.PHONY: help setup assets demo test check lint types unit fix proto proto-check docs docs-check tools
.PHONY: integration e2e reliability bench bench-match overhead chain purge-scan faults reconcile attacks cameras fuzz soak accuracy clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/.done ## make the virtual environment from the lock
.venv/.done: requirements.lock scripts/setup.sh
	@sh scripts/setup.sh $(PYTHON)

assets: .cache/assets/.done ## fetch models and sample pictures by pinned hash
.cache/assets/.done: .venv/.done scripts/assets.toml
	@$(RUN)python scripts/fetch_assets.py models pictures && touch $@

demo: setup assets ## play a sample exercise of about a minute, on real parts
	@$(RUN)python -m console demo

test: setup assets tools check ## everything: check, then the tests on real parts (what CI runs)
	$(RUN)pytest tests/integration
	$(RUN)pytest tests/e2e
	$(RUN)pytest tests/reliability

check: setup assets lint types unit proto-check docs-check ## the fast part: never edits, fastest first

lint: setup
	$(RUN)ruff format --check --quiet . && $(RUN)ruff check --quiet .

types: setup
	$(RUN)mypy

unit: setup
	$(RUN)pytest tests/architecture tests/unit tests/fuzz

integration: setup assets tools ## one edge at a time on its real system
	$(RUN)pytest tests/integration

e2e: setup assets tools ## camera to decision
	$(RUN)pytest tests/e2e

reliability: setup assets tools ## things are killed
	$(RUN)pytest tests/reliability

fix: setup ## format, and mend what a machine can
	$(RUN)ruff format . && $(RUN)ruff check --fix .

proto: setup ## regenerate proto/gen
	$(RUN)python scripts/gen_protos.py

proto-check: setup
	$(RUN)python scripts/gen_protos.py --check

docs: setup ## regenerate docs/configuration.md and docs/metrics.md
	$(RUN)python scripts/gen_docs.py

docs-check: setup
	$(RUN)python scripts/gen_docs.py --check

tools: setup
	@sh scripts/test_tools.sh && $(RUN)python scripts/fetch_assets.py dlib

bench: setup assets ## the whole pipeline against what a user would pick instead (build/bench.json)
	@$(RUN)python scripts/fetch_assets.py dlib
	$(RUN)python -m tests.load.bench

bench-match: setup ## exact search as a share of this machine's limit (build/bench-match.json)
	$(RUN)python -m tests.load.bench_match

overhead: setup assets ## what checks and encryption cost, by pairs with and without (build/overhead.json)
	$(RUN)python -m tests.load.overhead

faults: setup assets ## kill everything at least once, count what is lost (build/faults.json)
	$(RUN)python -m tests.reliability.faults

chain: setup ## kill the audit chain's sequencer 200 times, tamper with what it wrote (build/chain.json)
	$(RUN)python -m tests.reliability.chain

purge-scan: setup assets tools ## purge an exercise, and look for what it held in every place there is (build/purge-scan.json)
	$(RUN)python -m tests.reliability.purge_scan

cameras: setup tools ## SECONDS=60: cameras that misbehave, side by side; who is told (build/cameras.json)
	$(RUN)python -m tests.reliability.cameras --seconds $(or $(SECONDS),60)

reconcile: setup assets ## MINUTES=10 of asking for the statement while everything pauses and dies (build/reconcile.json)
	$(RUN)python -m tests.reliability.reconcile --minutes $(MINUTES)

attacks: setup ## try everything an authority must withstand, on the real services (build/attacks.json)
	$(RUN)python -m tests.reliability.attacks

fuzz: setup assets ## SECONDS=600 of hostile input at every surface (build/fuzz.json)
	$(RUN)python -m tests.fuzz --seconds $(or $(SECONDS),600)

soak: setup assets ## MINUTES=20 at full load: memory and disk stay flat (build/soak.json)
	$(RUN)python -m tests.load.soak --minutes $(MINUTES)

clean: ## remove what was built; keeps the virtual environment and fetched assets
	rm -rf build data .pytest_cache .mypy_cache .ruff_cache .hypothesis
