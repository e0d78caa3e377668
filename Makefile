# Set-up, the main job and the tests. Needs: Python 3.11 to 3.13 with venv, make, git. Nothing else.
PYTHON ?= python3
BIN := .venv/bin
# Half of the tests' time is waiting (for servers, cameras, processes), so two run at once.
TEST_PROCESSES ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint format protos lock clean

help:  ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready  ## Make .venv with everything, from requirements.lock

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) scripts/check_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing packages into .venv (about 3 GB on disk; only this first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: .venv/.ready  ## The main job on real faces: pull networks, enrol, watch a video, answer a gate
	$(BIN)/facerec demo

test: .venv/.ready  ## All tests but the slow ones (under 10 minutes on 2 cores)
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile

test-all: .venv/.ready  ## The slow ones too
	$(BIN)/python -m pytest -m ''

lint: .venv/.ready  ## ruff, mypy, buf
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/buf lint
	if git rev-parse --quiet --verify HEAD~1 >/dev/null; then \
	  $(BIN)/buf breaking --against '.git#ref=HEAD~1'; fi

format: .venv/.ready  ## Rewrite the code in its one style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protos: .venv/.ready  ## Regenerate facerec/v1 and docs/api.md from proto/
	$(BIN)/python scripts/generate_protos.py
	$(BIN)/python scripts/generate_api_docs.py

lock:  ## Resolve pyproject.toml into requirements.lock again (needs uv)
	scripts/lock --upgrade

clean:  ## Remove the virtual environment and all caches
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
