# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # tests/run uses the limits, and has the options
# One function per kind of suite: is it chosen, are its parts available (parts.bash), what is its command
# (run-suite.bash). Sourced by tests/run.

fast_suite_s=300
slow_suite_s=1800
soak_s=600 # chaos and the soaks; the long forms are make chaos and make soak
slow_file_s=$((900 + ${OUTAGE_MINUTES:-0} * 150)) # faults/slow/brokers-long may be set to take that long

chosen() {
  # shellcheck disable=SC2053  # a pattern is what we want
  [[ -z "${only}" || "$1" == *${only}* ]] || return 1
  if [[ -n "${list}" ]]; then
    echo "$1"
    return 1
  fi
}

our_scripts() {
  find "${repository}" \( -name build -o -name .git -o -name node_modules \) -prune -o -type f -size -200k -print0 |
    xargs -0 grep -lIE -m 1 '^#!/usr/bin/env bash|^# shellcheck shell=bash|^#!/bin/(ba)?sh' 2>/dev/null | sort
}

check_scripts() {
  local script good=0 bad=0
  cd "${repository}" || return
  while read -r script; do
    if shellcheck --external-sources "${script#"${repository}/"}"; then good=$((good + 1)); else bad=$((bad + 1)); fi
  done < <(our_scripts)
  echo "${good} passed, ${bad} failed"
  ((bad == 0))
}

suite_scripts() {
  chosen scripts || return 0
  if ! command -v shellcheck >/dev/null; then
    cannot_run scripts "shellcheck is missing: run deploy/local/install-deps --test"
    return
  fi
  export -f check_scripts our_scripts
  export repository
  run_suite scripts count_plain "${fast_suite_s}" bash -c check_scripts
}

suite_tidy() {
  [[ -x "${repository}/tests/tidy/run" ]] || return 0
  chosen tidy || return 0
  run_suite tidy count_plain "${fast_suite_s}" "${repository}/tests/tidy/run"
}

# Alerts, recording rules and the dashboard, without servers.
suite_prometheus() {
  chosen prometheus || return 0
  local missing
  if ! use_node; then
    cannot_run prometheus "no Node 20 or newer: run deploy/local/install-deps --test"
  elif ! missing="$("${test_tools}/promtool" 2>&1 >/dev/null)"; then
    cannot_run prometheus "$(tail -n 1 <<<"${missing}")"
  else
    run_suite prometheus count_plain "${fast_suite_s}" "${repository}/tests/prometheus/run"
  fi
}

# suite_image NAME SECONDS: the image's recipe and compose.yaml, compared with the programs; below slow/ the image itself,
# built and run.
suite_image() {
  local suite="$1" limit_s="$2"
  chosen "${suite}" || return 0
  if [[ ! -x "${build}/bin/clerk-ingest" || ! -x "${build}/bin/clerk-worker" ]]; then
    cannot_run "${suite}" "no programs in ${build}/bin: run make build"
  elif ! python3 -c 'import yaml' 2>/dev/null; then
    cannot_run "${suite}" "Python 3 with yaml is missing: run deploy/local/install-deps --test"
  else
    run_suite "${suite}" count_plain "${limit_s}" "${repository}/tests/${suite}"
  fi
}

# has_parts SUITE NEEDS: otherwise it prints why the suite does not run. A word that is not known is a mistake, not a skip.
has_parts() {
  local suite="$1"
  if need_all "$2"; then return 0; fi
  if [[ "${reason}" == "unknown need"* ]]; then fail_suite "${suite}" "${reason}"; else cannot_run "${suite}" "${reason}"; fi
  return 1
}

# suite_program PREFIX PROGRAM SECONDS: a doctest program, with the needs that the build lists.
suite_program() {
  local suite program_file="$2" limit_s="$3"
  suite="$1$(basename "${program_file}")"
  chosen "${suite}" || return 0
  if has_parts "${suite}" "$(needs_of_program "${program_file}")"; then
    run_suite "${suite}" count_doctest "${limit_s}" "${program_file}" --no-colors=true
  fi
}

# Those that the build lists and has compiled: its bin/ may still hold programs of an older version.
programs_of() {
  local name
  [[ -s "$1/tests.list" ]] || return 0
  sed 's/ .*//' "$1/tests.list" | sort | while read -r name; do [[ ! -x "$1/bin/${name}" ]] || echo "$1/bin/${name}"; done
}

# suites_of_programs PREFIX BUILD SECONDS [WHAT-TO-DO]: all test programs of a build.
suites_of_programs() {
  local prefix="$1" of_build="$2" limit_s="$3" what_to_do="${4:-run make test}" programs=() file
  mapfile -t programs < <(programs_of "${of_build}")
  if ((${#programs[@]} == 0)) && chosen "${prefix}programs"; then
    cannot_run "${prefix}programs" "no test programs in ${of_build#"${repository}/"}/bin: ${what_to_do}"
  fi
  for file in "${programs[@]}"; do suite_program "${prefix}" "${file}" "${limit_s}"; done
}

# suite_node FILE SECONDS [PREFIX]: a file of tests for Node; its parts are those of its folder, and those it declares.
suite_node() {
  local file="$1" limit_s="$2" suite needs of_folder=packages
  suite="${file#"${repository}/tests/"}"
  suite="${3:-}${suite%.test.mjs}"
  chosen "${suite}" || return 0
  if [[ ! -f "${file}" ]]; then
    fail_suite "${suite}" "${file#"${repository}/"} does not exist"
    return
  fi
  [[ "${file}" != "${repository}/tests/kubernetes/"* ]] || of_folder=kubernetes
  needs="$(needs_of_file "${file}")"
  if [[ -z "${needs}" ]]; then
    fail_suite "${suite}" "${file#"${repository}/"} does not declare what it needs: add a line \"// needs: ...\" (the words are in tests/tools/parts.bash)"
  elif has_parts "${suite}" "${of_folder}, ${needs}"; then
    run_suite "${suite}" count_tap "${limit_s}" node --test --test-reporter=tap "--test-timeout=$((limit_s * 800))" "${file}"
  fi
}

# suite_model NAME COUNTER SECONDS COMMAND...: the reference model (tests/model): its own rules; then random sets through
# the worker's store, compared with it.
suite_model() {
  local suite="model/$1" counter="$2" limit_s="$3"
  shift 3
  chosen "${suite}" || return 0
  if ! command -v python3 >/dev/null; then
    cannot_run "${suite}" "python3 is missing: run deploy/local/install-deps --test"
  elif [[ "${counter}" == count_exit && ! -x "${build}/bin/apply-sets" ]]; then
    cannot_run "${suite}" "no apply-sets in ${build}/bin: build the target tests-model-apply"
  elif [[ "${counter}" == count_exit ]] && ! need database; then
    cannot_run "${suite}" "${reason}"
  else
    run_suite "${suite}" "${counter}" "${limit_s}" "$@"
  fi
}

# libFuzzer for some seconds per target; for longer: tests/fuzz/run.
suite_fuzz() {
  chosen slow/fuzz || return 0
  if ! command -v clang++-14 >/dev/null; then
    cannot_run slow/fuzz "clang 14 is missing: run deploy/local/install-deps --fuzz"
    return
  fi
  run_suite slow/fuzz count_plain "${slow_suite_s}" "${repository}/tests/fuzz/run" --seconds 5 --jobs 2
}

# The product's sources under clang-tidy; it reads the headers that a build generates.
suite_lint() {
  chosen slow/lint || return 0
  if ! command -v clang-tidy-16 >/dev/null; then
    cannot_run slow/lint "clang-tidy 16 is missing: run deploy/local/install-deps --lint"
  elif [[ ! -s "${build}/compile_commands.json" ]]; then
    cannot_run slow/lint "no compile_commands.json in ${build}: run make build"
  else
    run_suite slow/lint count_plain "${slow_suite_s}" "${repository}/tests/tidy/lint" --build "${build}"
  fi
}

# suite_ingest_slow NAME PROGRAM OPTIONS...: long tests of ingest, with the programs of the build under test: a million
# random tokens, and the time of a rejected signature.
suite_ingest_slow() {
  local suite="ingest/slow/$1" program_file="${build}/bin/$2"
  shift 2
  chosen "${suite}" || return 0
  if [[ ! -x "${program_file}" ]]; then
    cannot_run "${suite}" "no $(basename "${program_file}") in ${build}/bin: run make build"
  else
    run_suite "${suite}" count_doctest "${slow_suite_s}" env TEST_TOKENS=1000000 "${program_file}" --no-colors=true "$@"
  fi
}

# Two minutes of faults under load, compared with the reference model. The first line, with the seed, is always shown.
suite_chaos() {
  chosen faults/slow/chaos || return 0
  if ! need packages; then
    cannot_run faults/slow/chaos "${reason}"
  elif ! real_part "${test_tools}/kafka" install; then
    cannot_run faults/slow/chaos "no Apache Kafka: ${answer}"
  else
    run_suite faults/slow/chaos count_plain "${soak_s}" "${repository}/tests/faults/chaos/run" --minutes 2
    sed -n 's/^\(seed .*\)/        \1/p' "${run}/logs/faults-slow-chaos.log" 2>/dev/null || true
  fi
}

# The end-to-end tests once more, with programs that check their own memory (dev-e2e) and threads (tsan-e2e): each file
# that needs Kafka starts the programs.
suites_of_programs_under_sanitizers() {
  local kind file build
  local -x TSAN_OPTIONS="${TSAN_OPTIONS:+${TSAN_OPTIONS}:}halt_on_error=1" # a program that is killed reports nothing at its exit
  for kind in dev tsan; do
    build="${repository}/build/${kind}"
    for file in "${repository}"/tests/e2e/*.test.mjs; do
      [[ ", $(needs_of_file "${file}")," == *", kafka,"* ]] || continue
      if [[ ! -x "${build}/bin/clerk-ingest" || ! -x "${build}/bin/clerk-worker" ]]; then
        if chosen "${kind}-e2e/"; then cannot_run "${kind}-e2e/programs" "no programs in build/${kind}/bin: make test-slow ONLY=${kind}-e2e/"; fi
        break
      fi
      suite_node "${file}" "${slow_suite_s}" "${kind}-"
    done
  done
}

# The C++ tests, and the path from a webhook to a real Strapi, with the programs of Debian 13 in its root file system.
debian13_files=(e2e/pipeline e2e/convergence e2e/sign-in e2e/rotation e2e/kafka-login e2e/slow/kafka-login e2e/database-tls
  e2e/readiness e2e/readiness-outage e2e/slow/assignment)

suites_of_debian13() {
  local build="${debian13}" file missing
  missing="$("${test_tools}/debian13" why-not)"
  [[ -n "${missing}" || -x "${build}/bin/clerk-worker" ]] || missing="no programs in build/debian13: run tests/tools/debian13 build"
  if [[ -n "${missing}" ]]; then
    if chosen debian13/programs; then cannot_run debian13/programs "${missing}"; fi
    return
  fi
  suites_of_programs debian13/ "${build}" "${slow_suite_s}" "run tests/tools/debian13 build"
  for file in "${debian13_files[@]}"; do
    suite_node "${repository}/tests/${file}.test.mjs" "${slow_suite_s}" debian13/
  done
}
