PYTHON ?= python3
BIN := .venv/bin
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/.cache/jax
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS = 0
export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES = -1
.PHONY: figures test peers
.venv/ready-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[$*]" && touch $@
figures: .venv/ready-data $(if $(NEURONS_DATA),.venv/ready-elpv)
	$(BIN)/python -m paper_figures --executor process $(FIGURES)
test: .venv/ready-dev .venv/ready-data
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy
	$(BIN)/python -m pytest -q --doctest-modules neurons theory paper_figures
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --benchmark-skip -m "not peers" $(TESTS)
peers: .venv/ready-dev .venv/ready-peers
	$(BIN)/python -m pytest -q -m peers --benchmark-sort=name $(TESTS)
