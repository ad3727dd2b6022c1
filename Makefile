# Every target sets the machine up first, once: only python3 and make are needed.
PYTHON ?= python3
# PYTHON_VERSION=3.12 or 3.13 brings TFX 1.21, in an environment of its own: .venv-3.13.
PYTHON_VERSION ?=
VENV := .venv$(addprefix -,$(filter-out 3.11,$(PYTHON_VERSION)))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV := .uv/bin/uv
# Hides TensorFlow's start-up notices; errors are raised all the same.
export TF_CPP_MIN_LOG_LEVEL ?= 3

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY) ## install everything from the hashed lock (the other targets do it when needed)

$(UV):
	$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet uv

# Byte-compiled at install: `import tfx.v1` takes 12 s with bytecode and 34 s without.
$(READY): .requirements/lock.txt pyproject.toml | $(UV)
	@sh .requirements/create_venv.sh $(UV) $(VENV) $(PYTHON_VERSION)
	UV_COMPILE_BYTECODE=1 VIRTUAL_ENV=$(VENV) $(UV) pip sync --quiet --require-hashes .requirements/lock.txt
	VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: $(READY) ## train, evaluate, push and query a model of the built-in glyphs (minutes)
	$(BIN)/fewshot run --config pipeline/configs/glyphs_5w1s.yaml --predict

# Two processes, a file of tests in one of them: the files share what is costly to build. The order of
# the files stays, so that the long ones are not the last.
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder

test: $(READY) ## all tests except those of test-cluster, the end-to-end tests included
	$(BIN)/python -m pytest -q -m "not cluster" $(IN_TWO)

test-cluster: $(READY) ## tests of the image in containers, Beam engines, workers, the wheel (half an hour more)
	$(BIN)/python -m pytest -q -m cluster

test-stacks: ## Python 3.13 with TFX 1.21 beside 3.11, where need be in a Debian 13 root (an hour; resumes)
	bash tests/stacks/run.sh $(PYTHON_VERSION)

test-fast: $(READY) ## the unit tests only (under 5 minutes)
	$(BIN)/python -m pytest -q -m "not e2e and not cluster" $(IN_TWO)

check: $(READY) ## ruff (lint and format) and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## let ruff fix and format what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

BENCH_PIP := .bench/bin/pip install --quiet --no-deps --require-hashes -r
# A CPU build of PyTorch that the machine has (PIP_FIND_LINKS) is small, and tried first.
LOCAL_TORCH = sed -n '/^torch==/,/[^\\]$$/p' .requirements/bench_torch.txt > .bench/torch.txt; \
  $(BENCH_PIP) .bench/torch.txt --no-index 2>/dev/null && $(BENCH_PIP) .requirements/bench_torch.txt
FULL_TORCH = echo "PyTorch's build is for GPUs and needs their libraries: 6 GB on disk." \
  "To do without it: make bench TORCH=no"; $(BENCH_PIP) .requirements/bench_torch_full.txt

bench: $(READY) ## time the meta-step against JAX and PyTorch, alternating (minutes; python3 must be 3.11)
	@test -x .bench/bin/python || $(PYTHON) -m venv .bench
	@test -e .bench/.jax || ($(BENCH_PIP) .requirements/bench_jax.txt && touch .bench/.jax)
	@test -e .bench/.torch || test "$(TORCH)" = no || { ($(LOCAL_TORCH)) || ($(FULL_TORCH)) && touch .bench/.torch; } || \
	  echo "PyTorch cannot be installed here: its peers are left out."
	$(BIN)/python -m benchmarks.meta_step --peers .bench/bin/python

results: $(READY) ## the papers' results on Omniglot (hours; resumes where it was stopped)
	$(BIN)/python -m benchmarks.omniglot

RESOLVE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate --extra pipeline pyproject.toml

# One lock for all Pythons and platforms: a line that not all need ends in a marker. The packages of a
# production install are those of `make`, at the same versions, without the tools.
# cuda.txt has what the image for GPUs holds beside them.
lock: | $(UV) ## resolve the lock files again from pyproject.toml
	$(RESOLVE) --extra dev --output-file .requirements/lock.txt
	$(RESOLVE) --constraint .requirements/lock.txt --output-file .requirements/production.txt
	$(RESOLVE) --extra cuda --constraint .requirements/production.txt \
	  $$(sed -n 's/^\([a-z0-9-]*\).*==.*/--no-emit-package \1/p' .requirements/production.txt | sort -u) \
	  --output-file .requirements/cuda.txt

# Nothing is installed: uv only says whether each package of the lock has a build for the Python and the
# platform, from the index's descriptions.
check-lock: | $(UV) ## all packages of the lock are to be had for every Python (seconds; asks the index)
	@for stack in 3.11:x86_64-manylinux_2_36 3.12:x86_64-manylinux_2_39 3.13:x86_64-manylinux_2_39; do \
	  echo "lock.txt on Python $${stack%%:*}, $${stack#*:}"; \
	  $(UV) pip install --quiet --dry-run --require-hashes --no-deps --requirements .requirements/lock.txt \
	    --python $(PYTHON) --target .uv/none --python-version $${stack%%:*} --python-platform $${stack#*:} || exit 1; \
	done

audit: $(READY) ## known vulnerabilities of the locked packages (asks PyPI; fails where one cannot be looked up)
	$(UV) tool run --python $(BIN)/python pip-audit --strict --disable-pip --require-hashes \
	  --requirement .requirements/production.txt

clean: ## remove the virtual environments (runs/ stays)
	rm -rf .venv .venv-3.* .uv .bench

.PHONY: help setup run test test-cluster test-stacks test-fast check format bench results lock check-lock audit clean
