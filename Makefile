# `make study` runs the whole study, `make test` proves it; both set up their own environment first.
PYTHON ?= python3
CORES ?= 2
PROFILE ?= micro
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WITH_SPHINX := $(VENV)/.with-sphinx
WITH_BROWSER := $(VENV)/.with-browser
WITH_FUZZ := $(VENV)/.with-fuzz
export PATH := $(CURDIR)/$(BIN):$(PATH)
export TOKENIZERS_PARALLELISM := false
# The embedded study needs no network; a profile that fetches models sets HF_HUB_OFFLINE=0.
export HF_HUB_OFFLINE ?= 1
export OMP_NUM_THREADS ?= 1
# Loads the libraries once, for all notebooks of a run.
FORKED := $(BIN)/python -m inbol_lib.study.kernels

.PHONY: help env study smoke demo test lint lock audit lab notebooks site test-browser fuzz pretrain bench clean
help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps
# torch without CUDA where pip is shown such a wheel, else as the package index has it (tests/lock.py)
$(READY): requirements.lock requirements-cpu.lock requirements-cuda.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Python 3.11 or newer is needed, this is " + sys.version'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements-cpu.lock 2>/dev/null || \
		{ echo "torch comes with CUDA"; $(PIP) --require-hashes -r requirements-cuda.lock; }
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation -e .
	touch $(READY)

env: $(READY)  ## the pinned environment in .venv

study: $(READY)  ## the whole study with PROFILE=micro: every table and figure into figures/micro/
	$(FORKED) $(BIN)/python -m inbol_lib study --cores $(CORES) -f '$(subst ','\'',$(PROFILE))'

GRAPH := CI=1 $(FORKED) $(BIN)/snakemake --rerun-triggers mtime --quiet rules

# One job more than cores: toy jobs spend much of their time starting.
smoke: $(READY)  ## the whole study at toy size, into runs/
	$(GRAPH) --cores $$(($(CORES) + 1)) --config profile=smoke

demo: $(READY)  ## all that the notebooks show on their own (profile demo), into runs/
	$(GRAPH) --cores $(CORES) --config profile=demo

test: $(READY)  ## all tests, and every notebook at its own size against its stored outputs
	$(BIN)/python tests/all.py

lint: $(READY)
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

lock:  ## pin every version with its hashes, and list them all in sbom.cdx.json
	$(PYTHON) tests/lock.py lock

audit:  ## known vulnerabilities of what is pinned
	$(PYTHON) tests/lock.py audit

lab: $(READY)  ## JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks/00_tour.ipynb

notebooks: $(READY)  ## run every notebook at its own size and store its outputs
	$(BIN)/python tests/refresh_notebooks.py

# What only the site or the tests in a browser need comes on top, with its own hashes.
$(WITH_SPHINX): $(READY) requirements-site.lock
	$(PIP) --require-hashes -r requirements-site.lock
	touch $(WITH_SPHINX)
$(WITH_BROWSER): $(READY) tests/browser.lock
	$(PIP) --require-hashes -r tests/browser.lock
	touch $(WITH_BROWSER)

$(WITH_FUZZ): $(READY) tests/fuzz.lock
	$(PIP) --require-hashes -r tests/fuzz.lock
	touch $(WITH_FUZZ)

site: $(WITH_SPHINX)  ## notebooks, results and reference as pages that open from disk: build/site/
	$(BIN)/python docs/site/building.py

test-browser: site $(WITH_BROWSER)  ## JupyterLab and the site in a real Chromium
	$(BIN)/python tests/in_a_browser.py

fuzz: $(WITH_FUZZ)  ## look for inputs that a parser fails on (Linux; 45 minutes)
	$(BIN)/python tests/fuzz.py

pretrain: $(READY)  ## retrain the micro models and the judge (hours)
	$(BIN)/python -m inbol_lib.micro.models.judge
	$(BIN)/python -m inbol_lib.micro.models.pretrain --size s
	$(BIN)/python -m inbol_lib.micro.models.pretrain --size m

bench: $(READY)  ## speed against the stock tools
	$(BIN)/python tests/bench.py

clean:  ## remove artefacts and the environment
	rm -rf runs build .snakemake $(VENV)
