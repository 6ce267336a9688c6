# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2317  # tests/run has the totals and options; counters are passed by name
# Runs one suite: its environment, its time limit, what it printed as counts, and the line that tests/run prints for it.
# Sourced by tests/run.

suite_pid='' # of the suite that runs now
times=()     # "SECONDS SUITE" per suite that ran

line() { printf '%-7s %-34s %-42s %7s\n' "$@"; }

# A suite that is broken before it starts.
fail_suite() {
  failed=$((failed + 1))
  line FAILED "$1" "1 failed" ""
  echo "        $2"
}

# With CI=true a suite that cannot run is a failure.
cannot_run() {
  local suite="$1" why="$2"
  if [[ "${CI:-}" == true ]]; then
    failed=$((failed + 1))
    line FAILED "${suite}" "could not run (CI=true)" ""
  else
    skipped=$((skipped + 1))
    line skipped "${suite}" "" ""
  fi
  echo "        ${why}"
}

seconds_since() { awk -v begin="$1" -v end="$(date +%s.%N)" 'BEGIN { printf "%.1f s", end - begin }'; }

# Each counter sets p, f, s (passed, failed, skipped) from the output of a suite.
count_doctest() {
  local summary
  summary="$(grep -a '^\[doctest\] test cases:' "$1" | tail -n 1)"
  [[ "${summary}" =~ \|\ *([0-9]+)\ passed\ *\|\ *([0-9]+)\ failed ]] || return 1
  p="${BASH_REMATCH[1]}"
  f="${BASH_REMATCH[2]}"
}

tap_number() { sed -n "s/^# $2 \([0-9]*\)\$/\1/p" "$1" | tail -n 1; }

count_tap() {
  p="$(tap_number "$1" pass)"
  f="$(tap_number "$1" fail)"
  [[ -n "${p}" && -n "${f}" ]] || return 1
  f=$((f + $(tap_number "$1" cancelled)))
  s=$(($(tap_number "$1" skipped) + $(tap_number "$1" todo)))
}

count_plain() {
  [[ "$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]] || return 1
  p="${BASH_REMATCH[1]}"
  f="${BASH_REMATCH[2]}"
  s="${BASH_REMATCH[4]:-0}"
}

# For a suite that is one test: only its exit status counts, which run_suite has in `status`.
count_exit() {
  if ((status == 0)); then p=1; else f=1; fi
}

# run_suite NAME COUNTER SECONDS COMMAND...
run_suite() {
  local suite="$1" counter="$2" limit_s="$3" log begin took status=0 p=0 f=0 s=0 announced word counts end
  shift 3
  log="${run}/logs/${suite//\//-}.log"
  suite_folder="${run}/suites/${suite//\//-}"
  mkdir -p "${run}/logs" "${suite_folder}"
  begin="$(date +%s.%N)"
  TEST_DATABASE_URL="${postgres_url}" TEST_KAFKA_BROKERS="${kafka_brokers}" TEST_KAFKA_REAL="${kafka_real}" \
    TEST_STRAPI_TEMPLATE="${strapi_template}" TEST_STRAPI_DIR="${suite_folder}/strapi" TEST_RUN_DIR="${suite_folder}" \
    TEST_BUILD_DIR="${build}" TEST_PREVIOUS_DIR="${previous_folder}" TEST_OTHER_BUILD_DIR="${other_build}" TEST_REPOSITORY="${repository}" NO_COLOR=1 \
    timeout --kill-after=10 "${limit_s}" "$@" >"${log}" 2>&1 </dev/null &
  # In the background, so that Ctrl-C and TERM reach this script at once. bash's own message about a crash is dropped,
  # because the exit status has the same fact.
  suite_pid=$!
  remember_process "${run}/suite.pid" "${suite_pid}"
  { wait "${suite_pid}" || status=$?; } 2>/dev/null
  suite_pid=''

  "${counter}" "${log}" || status="${status/#0/1}"
  p="${p:-0}"
  f="${f:-0}"
  if [[ "${counter}" == count_doctest ]]; then
    announced="$(grep -ac '^\[skipped\] ' "${log}" || true)"
    s=$((s + announced))
    p=$((p - announced))
  fi
  # A crash, a timeout, a sanitizer's report at exit: a failure that no summary counts.
  if ((status != 0 && f == 0)); then f=1; fi
  word=ok
  if ((f > 0)); then word=FAILED; elif ((p == 0 && s > 0)); then word=skipped; fi
  if [[ "${CI:-}" == true ]] && ((s > 0)); then
    f=$((f + s))
    s=0
    word=FAILED
  fi
  counts="${p} passed"
  ((f == 0)) || counts+=", ${f} failed"
  ((s == 0)) || counts+=", ${s} skipped"
  passed=$((passed + p))
  failed=$((failed + f))
  skipped=$((skipped + s))
  took="$(seconds_since "${begin}")"
  times+=("${took% s} ${suite}")
  line "${word}" "${suite}" "${counts}" "${took}"
  if ((s > 0)); then grep -aE '^\[skipped\] |^ *ok .*# SKIP' "${log}" | sed -E 's/^\[skipped\] //; s/^ *ok [0-9]+ - //; s/^/        /' | sort -u || true; fi
  if [[ "${word}" == FAILED ]]; then
    end="exit ${status}"
    if ((status == 124 || status == 137)); then end="stopped after ${limit_s} s"; fi
    echo "        --- ${end}; all of it: ${log}"
    tail -n 80 "${log}" | sed 's/^/        | /'
  fi
}

# Where the time went. Ninja's log has the last time that each file was compiled; with a warm ccache that is no time.
print_times() {
  local ninja_log="${build}/.ninja_log" begin end output
  echo
  echo "suites by time:"
  if ((${#times[@]} > 0)); then printf '%s\n' "${times[@]}" | sort -rn | awk '{ printf "%9.1f s  %s\n", $1, $2; sum += $1 } END { printf "%9.1f s  all suites\n", sum }'; fi
  echo
  [[ -s "${ninja_log}" ]] || return 0
  echo "slowest files to compile, of ${ninja_log#"${repository}/"}:"
  awk -F '\t' '$4 ~ /\.(o|gch)$/ { ms[$4] = $2 - $1 } END { for (file in ms) print ms[file] / 1000, file }' "${ninja_log}" |
    sort -rn | while read -r begin output; do [[ ! -e "${build}/${output}" ]] || echo "${begin} ${output}"; done |
    sed -n '1,10p' | awk '{ sub(/CMakeFiles\/[^\/]*\.dir\//, "", $2); printf "%9.1f s  %s\n", $1, $2 }'
  echo
}
