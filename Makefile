# What a person or CI calls; `make help` lists it. The work is done by CMake, deploy/local and tests/run.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help build image demo up down test test-slow soak chaos fuzz bench count format lint clean deps deps-test deps-fuzz deps-lint deps-image

# ON: every warning stops the build. Unset: as this build folder was last configured (first time: OFF).
WARNINGS_AS_ERRORS ?= $(if $(filter true,$(CI)),ON)
programs := clerk-ingest clerk-worker dev-broker
programs_under_threads := clerk-ingest clerk-worker $(addprefix tests-,common common-edges worker worker-edges ingest ingest-edges ingest-clerk ingest-database)
export NINJA_STATUS := [%f/%t  %es] 

# $(call compile,PRESET,TARGETS): no targets means all of them.
define compile
echo "compiling $(1) in build/$(1) (the first time takes some minutes)"
mkdir -p build
cmake --preset $(1) $(if $(WARNINGS_AS_ERRORS),-DWARNINGS_AS_ERRORS=$(WARNINGS_AS_ERRORS)) >build/configure-$(1).log 2>&1 ||
  { cat build/configure-$(1).log >&2; exit 1; }
flock build/compile-$(1).lock cmake --build --preset $(1) $(if $(JOBS),--parallel $(JOBS)) $(if $(2),--target $(2))
endef

help: ## this list
	@echo "make TARGET"
	sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS=$$'\t' read -r target sentence; do
	  printf '  %-10s %s\n' "$${target}" "$${sentence}"
	done
	echo "JOBS=N limits how many compilers run at once."

build: deps ## the programs, in build/release/bin (installs first what Debian must have)
	@$(call compile,release,$(programs))
	echo "built: build/release/bin/{clerk-ingest,clerk-worker,dev-broker}"

image: ## the container image of both programs, with this machine's Docker, Podman or Buildah
	@deploy/image/build

demo: $(if $(STRAPI),deps-test) build ## what it does, shown and checked in half a minute; STRAPI=1: on a real Strapi
	@deploy/local/demo $(if $(STRAPI),--strapi)

up: build ## start it on this machine, to try it out
	@deploy/local/up

down: ## end what `make up` started
	@deploy/local/down

test: deps-test ## build with warnings as errors, and run every fast test; TIMES=1: and show where the time went; ONLY=...
	@$(call compile,release)
	tests/run $(if $(ONLY),--only '$(ONLY)') $(if $(TIMES),--times)

test-slow: deps-test deps-fuzz deps-lint deps-image ## the same with the slow tests, the C++ tests under sanitizers, and on Debian 13
	@$(call compile,release,all bench-programs)
	echo "--- address and undefined-behaviour sanitizers"
	$(call compile,dev)
	if [[ -z '$(ONLY)' || '$(ONLY)' == *tsan* ]]; then
	  echo "--- thread sanitizer"
	  $(call compile,tsan,$(programs_under_threads))
	fi
	if [[ -z '$(ONLY)' || '$(ONLY)' == *debian13* ]] && [[ -z "$$(tests/tools/debian13 why-not)" ]]; then
	  echo "--- Debian 13"
	  tests/tools/debian13 build
	fi
	tests/run --slow $(if $(ONLY),--only '$(ONLY)') $(if $(TIMES),--times)

test test-slow: WARNINGS_AS_ERRORS := ON

soak: deps-test ## random sets of events through the store, compared with the model; SEED=..., SETS=... (10000)
	@$(call compile,release,tests-model-apply)
	tests/model/soak --sets $(or $(SETS),10000) $(if $(SEED),--seed '$(SEED)')

chaos: deps-test ## a load with faults from a seed, compared with the model; SEED=..., MINUTES=... (2), RATE=... (200), REPORT=1
	@$(call compile,release,clerk-ingest clerk-worker)
	tests/faults/chaos/run $(if $(SEED),--seed '$(SEED)') $(if $(MINUTES),--minutes '$(MINUTES)') $(if $(RATE),--rate '$(RATE)') $(if $(REPORT),--report)

fuzz: deps-fuzz ## libFuzzer on what takes bytes from outside; MINUTES=... a target (1), ONLY=...
	@tests/fuzz/run --minutes $(or $(MINUTES),1) $(if $(ONLY),--only '$(ONLY)') $(if $(JOBS),--jobs $(JOBS))

bench: deps-test ## the figures, next to the limits they are compared with; QUICK=1, ONLY=ingest|worker|latency|verify|operators
	@tests/bench/run $(if $(QUICK),--quick) $(if $(ONLY),--only '$(ONLY)')

count: ## lines of the product's C++, and words of Markdown
	@echo "$$(find common ingest worker -name '*.[ch]pp' -exec cat {} + | wc -l) lines of C++ in common, ingest and worker"
	echo "$$(find . \( -name build -o -name node_modules -o -name .git \) -prune -o -name '*.md' -exec cat {} + | wc -w) words of Markdown"

format: ## clang-format 14 over all C++
	@command -v clang-format-14 >/dev/null || { echo "make format: install Debian's clang-format-14" >&2; exit 1; }
	find common ingest worker tests deploy \( -name node_modules -o -name build \) -prune -o -type f \( -name '*.cpp' -o -name '*.hpp' \) -print0 |
	  xargs -0 clang-format-14 -i

lint: deps deps-lint ## clang-tidy 16 over the product's sources, some minutes; ONLY=...
	@$(call compile,release,$(programs))
	tests/tidy/lint $(if $(ONLY),--only '$(ONLY)') $(if $(JOBS),--jobs $(JOBS))

clean: down ## end what runs, and delete all that was built and fetched
	@rm -rf build

deps:
	@deploy/local/install-deps

deps-test:
	@deploy/local/install-deps --test

deps-fuzz:
	@deploy/local/install-deps --fuzz

deps-lint:
	@deploy/local/install-deps --lint

deps-image:
	@deploy/local/install-deps --image
