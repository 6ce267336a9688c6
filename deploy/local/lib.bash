# shellcheck shell=bash
# Shared by the scripts of this folder and of tests: messages, free ports, and processes that are started and stopped by
# their own id, never by name. Source it; do not run it.

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
# shellcheck disable=SC2034  # for the scripts that source this
tools="${repository}/build/tools"
program="$(basename "$0")"

die() {
  echo "${program}: $*" >&2
  exit 1
}

wrong_usage() {
  usage >&2
  exit 2
}

# The version of the plugin, the programs and the image (cmake/product_version.cmake reads the same line).
product_version() {
  local file="${repository}/deploy/strapi-plugin/package.json" version
  version="$(sed -n 's/^  "version": "\([0-9]*\.[0-9]*\.[0-9]*\)",\{0,1\}$/\1/p' "${file}")"
  [[ -n "${version}" ]] || die "${file} must have \"version\": \"X.Y.Z\""
  echo "${version}"
}

# True if a process listens on this port, on any IPv4 or IPv6 address.
port_is_taken() {
  local hex
  printf -v hex ':%04X' "$1"
  awk -v port="${hex}" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# A port below the kernel's range for outgoing connections, so that none of those takes it between this check and the
# bind. The callers start again if another process takes it anyway.
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! port_is_taken "${port}"; then
      echo "${port}"
      return
    fi
  done
  die "no free TCP port found between 20000 and 32000"
}

# The port of the previous start if it is still free, so that clients can use the same address; otherwise a free port.
port_of_last_time() {
  local file="$1"
  if [[ -s "${file}" ]] && ! port_is_taken "$(<"${file}")"; then cat "${file}"; else free_port; fi
}

# The start time, field 22 of /proc/PID/stat. It shows whether the kernel has reused a pid for another process.
process_birth() {
  local stat
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  awk '{ print $20 }' <<<"${stat##*) }"
}

process_state() {
  local stat
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  awk '{ print $1 }' <<<"${stat##*) }"
}

remember_process() {
  local pid_file="$1" pid="$2"
  echo "${pid} $(process_birth "${pid}" || echo 0)" >"${pid_file}"
}

process_runs() {
  local pid_file="$1" pid birth
  [[ -s "${pid_file}" ]] || return 1
  read -r pid birth <"${pid_file}"
  [[ "$(process_birth "${pid}")" == "${birth}" && "$(process_state "${pid}")" != Z ]]
}

# Starts a command in its own session, without the terminal, and records its pid. A signal that arrives in between is
# delivered afterwards: otherwise the caller's trap would stop the recorded processes and miss this one.
start_process() {
  local pid_file="$1" log="$2" traps came='' name
  shift 2
  traps="$(trap -p INT TERM HUP)"
  for name in INT TERM HUP; do
    # shellcheck disable=SC2064  # the current name, not a later one
    trap "came=${name}" "${name}"
  done
  setsid "$@" >>"${log}" 2>&1 </dev/null &
  remember_process "${pid_file}" "$!"
  trap - INT TERM HUP
  eval "${traps}"
  [[ -z "${came}" ]] || kill -s "${came}" "${BASHPID}"
}

# Sends TERM, and KILL after the deadline. If the process does not run, it succeeds.
stop_process() {
  local pid_file="$1" seconds="$2" signal="${3:-TERM}" pid
  if process_runs "${pid_file}"; then
    read -r pid _ <"${pid_file}"
    kill -s "${signal}" "${pid}" 2>/dev/null || true
    if ! wait_for "${seconds}" process_is_gone "${pid_file}"; then
      echo "${program}: process ${pid} did not stop within ${seconds} s; killing it" >&2
      kill -s KILL "${pid}" 2>/dev/null || true
      wait_for 10 process_is_gone "${pid_file}" || die "process ${pid} does not stop; end it by hand"
    fi
  fi
  rm -f "${pid_file}"
}

process_is_gone() { ! process_runs "$1"; }

# Repeats a condition until it is true, or fails after the given seconds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.05
  done
}

node_major() { "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0; }

# Puts Node 20 or newer into PATH: the one in PATH already, otherwise the one that install-deps --test downloaded.
use_node() {
  local node
  for node in "$(command -v node || true)" "${tools}"/node/node_modules/node-linux-*/bin/node; do
    if [[ -x "${node}" ]] && (($(node_major "${node}") >= 20)); then
      PATH="$(dirname "${node}"):${PATH}"
      return
    fi
  done
  return 1
}

java_major() {
  local version
  version="$(java -version 2>&1 | sed -n 's/^[a-z]* version "\([0-9]*\).*/\1/p')"
  echo "${version:-0}"
}

show_tail() {
  local file="$1" lines="${2:-15}"
  echo "--- last lines of ${file}" >&2
  tail -n "${lines}" "${file}" >&2 2>/dev/null || true
}

# Runs a command under a lock, so that concurrent runs do not install the same files at the same time.
with_lock() {
  local lock="$1"
  shift
  mkdir -p "$(dirname "${lock}")"
  exec 9>"${lock}"
  flock -w 900 9 || die "another run has held ${lock} for 15 minutes; end that run and start again"
  "$@" 9>&-
  exec 9>&-
}

# Installs the npm packages of tests/FOLDER, once. Call it with_lock.
install_packages() {
  local folder="${repository}/tests/$1"
  if ! cmp -s "${folder}/package-lock.json" "${folder}/node_modules/complete"; then
    command -v npm >/dev/null || die "npm is missing: run deploy/local/install-deps --test"
    (cd "${folder}" && timeout 300 npm ci --no-progress --loglevel=error >&2) || die "npm could not install tests/$1"
    cp "${folder}/package-lock.json" "${folder}/node_modules/complete"
  fi
}

install_e2e_packages() { install_packages e2e; }
