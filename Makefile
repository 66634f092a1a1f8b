# `make` alone lists what there is to make. Everything happens in .venv and needs no root.

PYTHON ?= python3
BIN := .venv/bin
EXTRAS := bench,dev,open3d,spectral-shapes,dask,parquet,report,video
INSTALLED := .venv/.installed
SAMPLES := sample_data/meadow.npy sample_data/palette.png sample_data/flower.png

.DEFAULT_GOAL := help
.PHONY: help install samples demo test test-fast lint format bench clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## make .venv with the program and the tools, all pinned

$(INSTALLED): pyproject.toml constraints.txt
	@echo "installing into .venv (a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $(INSTALLED)

samples: $(INSTALLED)  ## write the sample data that are missing
	@for file in $(SAMPLES); do \
	  test -f $$file || { $(BIN)/python sample_data/generate.py; break; }; \
	done

demo: samples  ## transfer colours on the sample data, into demo/
	@mkdir -p demo
	$(BIN)/gwtransfer color sample_data/meadow.npy sample_data/flower.png -o demo/meadow.png --overwrite
	$(BIN)/gwtransfer color sample_data/flower.png sample_data/palette.png -o demo/flower.png --overwrite
	@echo
	@echo "demo/meadow.png   the 16-band landscape in the colours of sample_data/flower.png"
	@echo "demo/flower.png   sample_data/flower.png in the colours of sample_data/palette.png"

test: samples  ## run all tests
	$(BIN)/pytest -q

test-fast: samples  ## run the tests that neither build nor install
	$(BIN)/pytest -q -m "not slow"

lint: $(INSTALLED)  ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## put the code into the project's format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: samples  ## measure speed, start-up and growth; never a gate
	$(BIN)/python benchmarks/bench.py
	@echo
	@echo "further, one by one: $(BIN)/python benchmarks/NAME.py, see benchmarks/README.md"

clean:  ## remove what was made, .venv included
	rm -rf .venv build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find src cli tests sample_data benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
