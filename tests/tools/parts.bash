# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # tests/run and suites.bash read and set the variables that are not local here
# The parts that suites need (servers, packages, programs) and their start. Each part is started or fetched when the
# first suite needs it, once for the whole run. Sourced by tests/run.
#
# A suite declares its needs in one line of words, separated by commas:
#   database      PostgreSQL: TEST_DATABASE_URL
#   kafka         a broker: TEST_KAFKA_BROKERS, TEST_KAFKA_REAL
#   strapi        a database as the first boot of Strapi left it: TEST_STRAPI_TEMPLATE
#   jars V...     the jars of these versions of Apache Kafka, for a test that starts its own brokers
#   previous      sources and programs of the previous version: TEST_PREVIOUS_DIR
#   packages      the npm packages of tests/e2e; each file of tests/e2e and tests/faults has them without this word
#   kubernetes    kubectl and the schemas; each file of tests/kubernetes has them without this word
#   nothing       no part

# Per part: not needed yet (no entry), "ok", or why it is not available.
declare -A part_state=()
postgres_url=''
kafka_brokers=''
kafka_real=0
strapi_template=''
previous_folder=''
broker_pid_file="${run}/dev-broker.pid"

# need WORD...: makes one part available; otherwise $reason is why it is not. Only jars take more than one word.
need() {
  local part="$1"
  case "${part}" in
  nothing) return 0 ;;
  database | kafka | strapi | previous | packages | kubernetes)
    [[ -n "${part_state[${part}]:-}" ]] || "start_${part}"
    reason="${part_state[${part}]}"
    ;;
  jars)
    shift
    fetch_kafka_jars "$@"
    ;;
  *) reason="unknown need '$*' (known: see tests/tools/parts.bash)" ;;
  esac
  [[ "${reason}" == ok ]]
}

# need_all 'database, jars 3.9.1 4.3.1': in this order, until one is not available.
need_all() {
  local parts part words
  IFS=, read -ra parts <<<"$1"
  for part in "${parts[@]}"; do
    read -ra words <<<"${part}"
    need "${words[@]}" || return 1
  done
}

# The needs of a test file: its comment line "// needs: ...", which is near its top.
needs_of_file() { sed -n '1,20{s|^// needs: *||p}' "$1" | head -n 1; }

# The needs of a test program: the build lists each as a line "NAME NEEDS" (tests/CMakeLists.txt).
needs_of_program() {
  local program="$1" list
  list="$(dirname "$(dirname "${program}")")/tests.list"
  sed -n "s|^$(basename "${program}") ||p" "${list}"
}

# Runs a script; $answer is its output, or the last line of its errors when it failed.
real_part() {
  local errors="${run}/real-part.log"
  if answer="$("$@" 2>"${errors}")"; then return 0; fi
  answer="$(tail -n 1 "${errors}")"
  cat "${errors}" >>"${run}/real-parts.log"
  return 1
}

start_database() {
  if real_part "${local_parts}/postgres" start "${run}/postgres" --no-fsync; then
    postgres_url="${answer}"
    part_state[database]=ok
  else
    part_state[database]="no PostgreSQL: ${answer}"
  fi
}

start_dev_broker() {
  local output="${run}/dev-broker.out"
  [[ -x "${build}/bin/dev-broker" ]] || return 1
  start_process "${broker_pid_file}" "${output}" "${build}/bin/dev-broker"
  wait_for 10 test -s "${output}" || return 1
  kafka_brokers="$(head -n 1 "${output}")"
}

start_kafka() {
  if real_part "${test_tools}/kafka" start "${run}/kafka"; then
    kafka_brokers="${answer}"
    kafka_real=1
    part_state[kafka]=ok
  else
    part_state[kafka]="no Apache Kafka: ${answer}"
    cannot_run "real Apache Kafka" "${answer}"
    if start_dev_broker; then part_state[kafka]=ok; fi
  fi
}

# Fetched here, because the time limit of a suite does not allow for it.
fetch_kafka_jars() {
  local version
  reason=ok
  for version in "$@"; do
    real_part "${test_tools}/kafka" install --version "${version}" || reason="no Apache Kafka ${version}: ${answer}"
  done
}

# The database of the test site after its first boot. No connection to it stays open, because PostgreSQL copies it for
# each test.
make_strapi_template() {
  local database="${postgres_url%/postgres}/strapi_template"
  psql --no-psqlrc -qX "${postgres_url}" -c 'create database strapi_template'
  "${local_parts}/strapi" start "${run}/strapi-template" "${database}"
  "${local_parts}/strapi" stop "${run}/strapi-template"
}

start_strapi() {
  if ! need database; then
    part_state[strapi]="${reason}"
  elif real_part make_strapi_template; then
    strapi_template=strapi_template
    part_state[strapi]=ok
  else
    part_state[strapi]="no Strapi: ${answer}"
  fi
}

# Compiling takes minutes, so its progress is shown.
start_previous() {
  local script="${repository}/tests/e2e/previous-programs" errors="${run}/previous-programs.log"
  if (set -o pipefail && "${script}" 2>"${errors}" | sed 's/^/        /'); then
    previous_folder="$("${script}" --where)"
    part_state[previous]=ok
  else
    part_state[previous]="no programs of the previous version: $(tail -n 1 "${errors}")"
  fi
}

start_packages() {
  if ! use_node; then
    part_state[packages]="no Node 20 or newer: run deploy/local/install-deps --test"
  elif real_part with_lock "${tools}/e2e.lock" install_e2e_packages; then
    part_state[packages]=ok
  else
    part_state[packages]="no npm packages: ${answer}"
  fi
}

install_kubernetes_packages() { install_packages kubernetes; }

fetch_kubernetes_tools() {
  "${test_tools}/kubernetes-tools" kubectl && "${test_tools}/kubernetes-tools" crds
}

start_kubernetes() {
  if ! use_node; then
    part_state[kubernetes]="no Node 20 or newer: run deploy/local/install-deps --test"
  elif ! real_part with_lock "${tools}/kubernetes-packages.lock" install_kubernetes_packages; then
    part_state[kubernetes]="no npm packages: ${answer}"
  elif real_part fetch_kubernetes_tools; then
    part_state[kubernetes]=ok
  else
    part_state[kubernetes]="no tools for Kubernetes: ${answer}"
  fi
}

# Ends every process that was started in the folder of a run, also what a test left running: each starter writes a file
# with the process id there.
end_processes_of() {
  local folder="$1" file
  while read -r file; do
    stop_process "${file}" 10 || true
  done < <(find "${folder}" \( -name pid -o -name 'broker-*.pid' -o -name dev-broker.pid -o -name suite.pid -o -name '*.process.pid' \) 2>/dev/null | sort -r)
  while read -r file; do
    "${local_parts}/postgres" remove "$(dirname "${file}")" || true
  done < <(find "${folder}" -name initdb.log 2>/dev/null)
  rm -rf "${folder}/kafka" "${folder}/run.pid"
}

# A run that was killed did not end its processes.
end_processes_of_killed_runs() {
  local folder
  for folder in "${repository}"/build/test-run/[0-9]*/; do
    [[ -s "${folder}/run.pid" ]] || continue
    if ! process_runs "${folder}/run.pid"; then
      end_processes_of "${folder}"
      rm -rf "${folder}"
    fi
  done
}
