# The same commands on a laptop, in CI and on a login node. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread per calculation: independent calculations run side by side instead.
export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: docs help linked install demo test test-cluster test-install test-faults pytest lint types bench clean

help:  ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)  ## make the virtual environment .venv with everything in it

$(INSTALLED): pyproject.toml constraints.txt gpaw_siteconfig.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "interohm needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -c 'import sysconfig, os, sys; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || \
	  { echo "Python's headers are missing; on Debian: apt install python3-dev"; exit 2; }
	@command -v g++ >/dev/null || { echo "a C++ compiler is missing; on Debian: apt install g++"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "venv is missing; on Debian: apt install python3-venv"; exit 2; }
	@echo "Installing into $(VENV) (about two minutes; GPAW is compiled) ..." >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt pip setuptools wheel
	@PYTHONWARNINGS=ignore GPAW_CONFIG=$(CURDIR)/gpaw_siteconfig.py $(BIN)/pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[gpaw,vasp,remote,docs,dev]'
	@touch $@

demo: install  ## structures of Li and LiF by real DFT, and a thin-film cell with them (15 minutes at most)
	@$(BIN)/interohm run configs/campaigns/demo.yaml
	@$(BIN)/interohm contact Li LiF --save
	@$(BIN)/interohm cell configs/examples/lithium-LiPON-LCO.yaml --save --report report.html

# all root folders in one package, as they install
linked:
	@rm -rf build/typed && mkdir -p build/typed/interohm
	@for part in interohm/* slab_builders workflows postprocess device_models screening configs; do \
	  ln -s ../../../$$part build/typed/interohm/; done

types: install linked  ## mypy on all root folders, as they install
	@$(BIN)/mypy

lint: types  ## ruff, mypy, and which module may import which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@mkdir -p build && rm -rf build/lib build/lint
	@PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --target build/lint . 2>build/lint.log || { cat build/lint.log; exit 1; }
	@cd build/lint && $(CURDIR)/$(BIN)/lint-imports --no-cache $(CURDIR)/pyproject.toml

test:  ## lint, types and all tests (some run GPAW), side by side
	@$(MAKE) --no-print-directory --jobs=2 lint pytest

pytest: install
	@$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

test-cluster: install  ## the tests that need a database server and Slurm: brings up both, takes them down
	@$(BIN)/pytest --numprocesses auto --dist worksteal tests/cluster tests/faults/cluster $(addprefix tests/interohm/,\
	  cli/test_output.py explorer/test_server.py $(addprefix database/test_,database.py rows.py many_writers.py safe_documents.py criteria.py folder.py transfer.py damage.py))

test-install:  ## a plain `pip install .` with the Pythons 3.12 and 3.13 that are here, and a few commands by it
	@tests/base_install.sh

test-faults: install  ## the tests of faults in their long form: 100 kills, 500 mutated command lines, thousands of files (an hour)
	@INTEROHM_TEST_FAULTS=long $(BIN)/pytest tests/faults tests/faults/cluster
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	@for file in examples/cell.yaml examples/campaign.yaml examples/screen.yaml presets/vasp.yaml; do \
	  $(BIN)/python tests/faults/fuzz.py $$file -max_total_time=300 -verbosity=0 || exit 1; done

docs: install linked  ## the documentation site, into build/site: strict, with its notebooks run, without a network
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: install  ## speed and memory of the device model, one JSON object (under 50 s)
	@$(BIN)/python benchmarks/run.py

clean:  ## remove the environment and caches, never results
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
