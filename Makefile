# `make` alone lists what there is to make. Everything happens in .venv and needs no root.

PYTHON ?= python3
BIN := .venv/bin
EXTRAS := bench,dev,open3d,spectral-shapes,dask,parquet,report,video
INSTALLED := .venv/.installed
LOCKS := constraints.txt constraints-run.txt constraints-docs.txt constraints-fuzz.txt \
  constraints-tools.txt
DOCS_TOOLS := .venv/.docs
FUZZ_TOOLS := .venv/.fuzz
LOCK_TOOLS := .venv/tools/.installed
PIP := -m pip install -qq --disable-pip-version-check
LOCKED := --only-binary :all: --require-hashes -r
COMPILE := .venv/tools/bin/uv pip compile -q $(LOCK) --universal --python-version 3.11 \
  --no-python-downloads --only-binary :all: --generate-hashes --no-emit-index-url \
  --annotation-style line --custom-compile-command "make lock"
DIST ?= dist
SAMPLES := sample_data/meadow.npy sample_data/palette.png sample_data/flower.png \
  sample_data/shapes/starfish/starfish-2.off
SECONDS ?= 60
TWO := --numprocesses 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install samples demo test test-fast lint format bench clean
.PHONY: docs man fuzz lock licences audit build wheelhouse

comma := ,
extra = $(PYTHON) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))\
['project']['optional-dependencies']['$(1)'], sep='\\n')"

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## make .venv with the program and the tools, all pinned

$(INSTALLED): pyproject.toml constraints.txt
	@echo "installing into .venv (a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP) $(LOCKED) constraints.txt
	@$(BIN)/python $(PIP) --no-index --no-deps --no-build-isolation -e .
	@touch $(INSTALLED)

# Tools of single targets, so that those who make nothing of the kind need not fetch them.
$(DOCS_TOOLS): constraints-docs.txt $(INSTALLED)
	@$(BIN)/python $(PIP) $(LOCKED) constraints-docs.txt
	@touch $@

$(FUZZ_TOOLS): constraints-fuzz.txt $(INSTALLED)
	@$(BIN)/python $(PIP) $(LOCKED) constraints-fuzz.txt
	@touch $@

$(LOCK_TOOLS): constraints-tools.txt
	@$(PYTHON) -m venv .venv/tools
	@.venv/tools/bin/python $(PIP) $(LOCKED) constraints-tools.txt
	@touch $@

samples: $(INSTALLED)  ## write the sample data that are missing
	@for file in $(SAMPLES); do \
	  test -f $$file || { $(BIN)/python sample_data/generate.py; break; }; \
	done

demo: samples  ## transfer colours on the sample data, into demo/
	@mkdir -p demo
	$(BIN)/gwtransfer color sample_data/meadow.npy sample_data/flower.png -o demo/meadow.png --overwrite
	$(BIN)/gwtransfer color sample_data/palette.png sample_data/flower.png -o demo/temple.png --overwrite
	@echo
	@echo "demo/meadow.png   the 16-band landscape in the colours of sample_data/flower.png"
	@echo "demo/temple.png   sample_data/palette.png in the colours of sample_data/flower.png"

test: samples  ## run all tests
	$(BIN)/pytest -q $(TWO)

test-fast: samples  ## run the tests that neither build nor install
	$(BIN)/pytest -q $(TWO) -m "not slow"

lint: $(INSTALLED)  ## check style, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## put the code into the project's format
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

docs: $(INSTALLED) $(DOCS_TOOLS)  ## build the documentation into site/; a warning is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

man: $(INSTALLED)  ## write the manual page man/gwtransfer.1 from the commands
	$(BIN)/python docs/manpage.py man/gwtransfer.1

fuzz: $(INSTALLED) $(FUZZ_TOOLS)  ## throw damaged input at every reader for SECONDS=60
	$(BIN)/python tests/fuzz/fuzz.py --seconds $(SECONDS)

bench: samples  ## measure speed, start-up and growth; never a gate
	$(BIN)/python benchmarks/bench.py
	@echo
	@echo "further, one by one: $(BIN)/python benchmarks/NAME.py, see benchmarks/README.md"

lock: $(LOCK_TOOLS)  ## resolve what pyproject.toml asks for; LOCK=--upgrade for newer versions
	$(COMPILE) $(addprefix --extra ,$(subst $(comma), ,$(EXTRAS))) pyproject.toml -o constraints.txt
	$(COMPILE) -c constraints.txt pyproject.toml -o constraints-run.txt
	$(call extra,docs) | $(COMPILE) -c constraints.txt - -o constraints-docs.txt
	$(call extra,fuzz) | $(COMPILE) -c constraints.txt - -o constraints-fuzz.txt
	printf '%s\n' pip-audit uv | $(COMPILE) -c constraints.txt - -o constraints-tools.txt

licences: $(INSTALLED) $(DOCS_TOOLS) $(FUZZ_TOOLS) $(LOCK_TOOLS)  ## list the licences of all that is locked
	$(BIN)/python docs/licences.py docs/licences.md

# --strict: without it a package that the service does not know would pass for a sound one.
audit: $(LOCK_TOOLS)  ## ask the package index for known vulnerabilities of all that is locked
	@failed=0; for lock in $(LOCKS); do \
	  if found=$$(.venv/tools/bin/pip-audit --strict --disable-pip --require-hashes \
	      --progress-spinner off -r $$lock 2>.venv/tools/audit.log); then \
	    echo "$$lock: no known vulnerability"; \
	  elif test -n "$$found"; then \
	    failed=1; echo "$$lock: known vulnerabilities"; echo "$$found"; \
	  else \
	    failed=1; echo "$$lock: not audited, the service gave no full answer:" >&2; \
	    tail -n 1 .venv/tools/audit.log >&2; \
	  fi; \
	done; exit $$failed

build: $(INSTALLED)  ## make the wheel and the source archive, in dist
	$(BIN)/python -m build --no-isolation --outdir $(DIST)

wheelhouse: build  ## gather in dist all that an installation without a network needs
	$(BIN)/python -m pip download -qq --disable-pip-version-check --dest $(DIST) \
	  $(LOCKED) constraints-run.txt
	cp constraints-run.txt $(DIST)

clean:  ## remove what was made, .venv included
	rm -rf .venv build dist demo site .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find src cli tests sample_data benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
