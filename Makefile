# Every target sets the machine up first, once: only python3 and make are needed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# TensorFlow's start-up notices are not the user's; what fails is raised.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) ## install everything into .venv from the hashed lock (others do it when needed)

# Byte-compiled at install: `import tfx.v1` takes 12 s with bytecode and 34 s without.
$(READY): .requirements/lock.txt pyproject.toml
	@test -x .uv/bin/uv || ($(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv)
	.uv/bin/uv venv --quiet --allow-existing --python 3.11 .venv
	UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=.venv .uv/bin/uv pip sync --quiet --require-hashes .requirements/lock.txt
	VIRTUAL_ENV=.venv .uv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## the whole line on the built-in glyphs: train, judge, ship, ask (minutes)
	$(BIN)/fewshot run --config pipeline/configs/glyphs_5w1s.yaml --ask

test: $(READY) ## all tests, the end-to-end ones included, but those of test-cluster
	$(BIN)/python -m pytest -q -m "not cluster"

test-cluster: $(READY) ## engines, workers, the wheel, a backend's inputs: what takes a quarter of an hour more
	$(BIN)/python -m pytest -q -m cluster

test-fast: $(READY) ## the unit tests only (under 5 minutes)
	$(BIN)/python -m pytest -q -m "not e2e and not cluster"

check: $(READY) ## ruff (lint and format) and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BENCH_PIP := .bench/bin/pip install --quiet --no-deps --require-hashes -r
# With hashes, pip prefers an index's PyTorch, whose CUDA libraries are missing here, to a CPU build
# that lies on the machine (PIP_FIND_LINKS). So that one is taken first, where there is one.
TORCH_OF_THIS_MACHINE = sed -n '/^torch==/,/[^\\]$$/p' .requirements/bench_torch.txt > .bench/torch.txt; \
  $(BENCH_PIP) .bench/torch.txt --no-index 2>/dev/null

bench: $(READY) ## the meta-step beside JAX and PyTorch, in turns (minutes; python3 must be 3.11)
	@test -x .bench/bin/python || $(PYTHON) -m venv .bench
	@test -e .bench/.jax || ($(BENCH_PIP) .requirements/bench_jax.txt && touch .bench/.jax)
	@test -e .bench/.torch || ($(TORCH_OF_THIS_MACHINE); $(BENCH_PIP) .requirements/bench_torch.txt && touch .bench/.torch) || \
	  echo "PyTorch cannot be installed here: its two peers are left out."
	$(BIN)/python -m benchmarks.meta_step --peers .bench/bin/python

results: $(READY) ## the papers' table on Omniglot: hours, goes on where it was stopped
	$(BIN)/python -m benchmarks.omniglot

lock: ## resolve the lock anew from pyproject.toml
	@test -x .uv/bin/uv || ($(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv)
	.uv/bin/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --extra dev pyproject.toml --output-file .requirements/lock.txt

clean: ## remove the virtual environments (runs/ stays)
	rm -rf .venv .uv .bench

.PHONY: help setup run test test-cluster test-fast check format bench results lock clean
