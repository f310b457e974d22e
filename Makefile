# Two commands matter: `make listen` and `make test`. Each sets up all that it needs.
#
#   make listen                          the bundled clip, on the bundled model, at the pace of speech
#   make listen SOURCE=mic               the microphone
#   make listen SOURCE=talk.wav ARGS="--json --fast"
#   make test                            linters, types and tests, offline once installed
#   make scorecard DATA=corpora          train and measure everything; goes on when given again
#   make scorecard DATA=corpora EMBEDDINGS=DIR SOUNDS=DIR      with a large model's vectors as a teacher
#   make arm64                           labels and instructions of Arm boards, emulated (root, once)
#   make PYTHON=python3.12 test          another Python

PYTHON ?= python3
SOURCE = demo
ARGS =
DATA =
CACHE = cache
RUNS = runs
EMBEDDINGS =
SOUNDS =
OUT = downloads
ABLATIONS = teacher-mixup no-grl no-attention no-phonetic no-language baseline
DOWNLOADS = numpy-int4 tflite-fp32 tflite-fp16 tflite-int8 torchscript-fp32 torchscript-int8

RUN := .venv
DEV := .venv-dev
RELEASE := .venv-release
DOCS := .venv-docs
PIP_FLAGS := --quiet --disable-pip-version-check
, := ,

.DEFAULT_GOAL := help
.PHONY: help listen bench test lint typecheck imports pytest fuzz mutants wheel-check release deb container addon scorecard ablations models benchmarks-page \
	downloads data-named picture demo-clip docs arm64 clean
.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  Variables: SOURCE=demo|mic|FILE  ARGS="..."  PYTHON=python3  DATA=CORPORA  CACHE=DIR  RUNS=DIR  OUT=DIR'
	@echo '             EMBEDDINGS=FILES|DIR  SOUNDS=DIR'

listen: $(RUN)/.installed ## hear the emotions in a clip, a file or the microphone
	@$(RUN)/bin/edge-ser listen --source "$(SOURCE)" $(ARGS)

bench: $(RUN)/.installed ## cold start, every stage, speed and memory on this machine
	@$(RUN)/bin/edge-ser benchmark $(ARGS)

test: lint typecheck imports pytest ## everything that must be true before a change lands

lint: $(DEV)/.installed ## ruff
	$(DEV)/bin/ruff check .

typecheck: $(DEV)/.installed ## mypy --strict
	$(DEV)/bin/mypy

imports: $(DEV)/.installed ## who may import whom
	$(DEV)/bin/lint-imports --no-logo

# Small matrices: a second thread costs more than it helps, threefold on a busy machine. Hundreds of
# tests start a Python of their own, which would compile every module anew where none may be kept.
TESTS = env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 $(DEV)/bin/python -m pytest
# Files in the order of their folders: small ones come last, so both processes end together. Asserts that
# tell their values double the time before the first test: what failed is run again, with them.
pytest: $(DEV)/.installed ## the tests alone
	@$(TESTS) -n 2 --dist loadfile --no-loadscope-reorder --assert=plain $(ARGS) || { \
		echo 'What failed, run once more and told in full:'; \
		$(TESTS) --last-failed --last-failed-no-failures none -q; exit 1; }

mutants: $(DEV)/.installed ## change one line at a time and see whether a test notices
	$(DEV)/bin/python tools/mutation_check.py $(ARGS)

# N trials of every target, or of ONLY; what they find is kept in fuzz-findings.
N = 10000
ONLY =
fuzz: $(DEV)/.installed ## hostile input, N=10000 trials of every target or of ONLY=wav
	PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(DEV)/bin/python -m fuzz --n $(N) $(if $(ONLY),--only $(ONLY)) $(ARGS)

wheel-check: $(DEV)/.installed ## build the wheel, weigh it, install it alone and run it
	$(DEV)/bin/python tools/check_wheel.py

release: $(RELEASE)/.installed ## build both distributions twice, check them, say how to publish them
	$(RELEASE)/bin/python -m tools.release

deb: $(DEV)/.installed ## build a Debian package (needs debhelper and dh-python)
	$(DEV)/bin/python -m tools.make_deb

# Two at once, PLATFORM=linux/amd64,linux/arm64, where the engine can make the other one's.
ENGINE := $(firstword $(foreach engine,podman docker,$(if $(shell command -v $(engine)),$(engine))))
PLATFORM =
TAG = edge-ser
# Podman's own format has no place for the health check, and leaves it out.
FORMAT = $(if $(filter podman,$(notdir $(ENGINE))),--format docker)
container: ## build the container with podman or docker, PLATFORM=linux/arm64 for another machine
	@test -n "$(ENGINE)" || { \
		echo 'edge-ser: error: neither podman nor docker is here: apt-get install podman.' >&2; exit 2; }
	$(ENGINE) build $(FORMAT) $(if $(PLATFORM),--platform $(PLATFORM)) --tag $(TAG) \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
		--file packaging/container/Containerfile $(ARGS) .

addon: $(DEV)/.installed ## lay out the Home Assistant add-on
	$(DEV)/bin/python -m tools.make_addon

SCORECARD = $(DEV)/bin/python -m benchmarks.scorecard --data "$(DATA)" --cache "$(CACHE)" --runs "$(RUNS)" \
	$(if $(EMBEDDINGS),--embeddings $(EMBEDDINGS)) $(if $(SOUNDS),--sounds $(SOUNDS)) \
	--out benchmarks/results/scorecard.json --render docs/results.md --headline README.md
scorecard: data-named $(DEV)/.installed ## train and measure the bundled recipes in DATA=CORPORA, write their tables
	$(SCORECARD) $(ARGS)

ablations: data-named $(DEV)/.installed ## the same for what each part of CLAF-SER is worth, and the baseline
	$(SCORECARD) --recipes $(ABLATIONS) $(ARGS)

models: $(DEV)/.installed ## renew the bundled models and their cards from RUNS and the scorecard
	$(call artifact,claf-ser,numpy-int8,claf-ser-int8,edge/bundled)
	$(call artifact,claf-ser,onnx-int8,claf-ser-int8-onnx,edge/bundled)
	$(call artifact,claf-ser-tiny,numpy-int8,claf-ser-tiny,edge/bundled)
	$(call artifact,claf-ser-tiny,onnx-int8,claf-ser-tiny-onnx,edge/bundled)

downloads: $(DEV)/.installed ## make what is not bundled from RUNS: every other kind of both models
	$(foreach kind,$(DOWNLOADS),$(call artifact,claf-ser,$(kind),claf-ser-$(kind),$(OUT)/claf-ser)$(newline))
	$(foreach kind,$(DOWNLOADS),$(call artifact,claf-ser-tiny,$(kind),claf-ser-tiny-$(kind),$(OUT)/claf-ser-tiny)$(newline))

# Export the run of all clips: its recipe, its kind, the name of the model and the folder for it.
define artifact
	$(DEV)/bin/edge-ser-quantize export "$(RUNS)/$1/all" --kind $2 --name $3 \
	--out "$4/$3" --card "$4/$3/MODEL_CARD.md" --scorecard benchmarks/results/scorecard.json
endef
define newline


endef

# Before an environment is set up for nothing.
data-named:
	@test -d "$(DATA)" || { \
		echo 'edge-ser: error: DATA is "$(DATA)": name the folder of the corpora, make scorecard DATA=CORPORA.' >&2; exit 2; }

# Debian for arm64 and armv7 comes into the cache of whoever runs it, 1 GB; what is finished is kept there.
arm64: $(DEV)/.installed ## labels, instructions and estimates of Arm boards under QEMU (needs debootstrap, qemu-user-static)
	PYTHONPATH="$(CURDIR)" OMP_NUM_THREADS=1 $(DEV)/bin/python -m benchmarks.arm64 $(ARGS)

docs: $(DOCS)/.installed ## build the pages of docs/ as a site, in build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 PYTHONPATH="$(CURDIR)" $(DOCS)/bin/python -m mkdocs build --strict --quiet
	@echo build/site/index.html

benchmarks-page: $(DEV)/.installed ## write docs/benchmarks.md from benchmarks/results
	@$(DEV)/bin/python -m benchmarks.page

picture: $(DEV)/.installed ## draw the README's picture of a run
	$(DEV)/bin/python tools/render_terminal.py --output docs/listen.svg \
		--prompt 'make listen ARGS="--min-probability 0"' --columns 92 -- \
		$(DEV)/bin/edge-ser listen --source demo --min-probability 0

demo-clip: $(DEV)/.installed ## speak the bundled clip anew (needs espeak-ng)
	$(DEV)/bin/python tools/make_demo_clip.py

clean: ## remove what the targets above made
	rm -rf $(RUN) $(DEV) $(DOCS) $(RELEASE) build dist *.egg-info quantize/build quantize/*.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache
	find edge edge_ser quantize tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# An environment is whole when its stamp is there, and the stamp says for which Python and
# which folder (scripts in an environment hold absolute paths, so a moved checkout is a new one).
STAMP_TEXT := $(PYTHON) $(CURDIR)
define drop_if_stale
ifneq ($$(file <$(1)/.installed),$$(STAMP_TEXT))
$(1)/.installed: FORCE
endif
endef
$(eval $(call drop_if_stale,$(RUN)))
$(eval $(call drop_if_stale,$(DEV)))
$(eval $(call drop_if_stale,$(RELEASE)))
$(eval $(call drop_if_stale,$(DOCS)))
FORCE:

# $(1): the folder; $(2): what pip installs. The stamp goes first and comes back last: an install
# that was interrupted is done again.
define install
	@rm -f $(1)/.installed
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo 'edge-ser: error: "$(PYTHON)" is not Python 3.10 or newer: name one with PYTHON=python3.11.' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'edge-ser: error: this Python cannot make a virtual environment: apt-get install python3-venv.' >&2; exit 2; }
	@echo 'Setting up $(1) (once) ...'
	@$(PYTHON) -m venv --clear $(1)
	@$(1)/bin/python -m pip install $(PIP_FLAGS) $(2)
	@printf '%s\n' '$(STAMP_TEXT)' >$(1)/.installed
endef

$(RUN)/.installed: pyproject.toml
	$(call install,$(RUN),--editable .)

$(DOCS)/.installed: pyproject.toml
	$(call install,$(DOCS),--editable '.[docs]')

$(DEV)/.installed: pyproject.toml quantize/pyproject.toml constraints.txt
	$(call install,$(DEV),--constraint constraints.txt --editable '.[dev]' --editable ./quantize)

# Neither distribution is in it: it only builds them.
$(RELEASE)/.installed: constraints.txt
	$(call install,$(RELEASE),--constraint constraints.txt build setuptools twine)
