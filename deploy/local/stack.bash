# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # set here for the scripts that source this, and by lib.bash
# The product on one machine, for up and demo: a private PostgreSQL with Strapi's tables, dev-broker, worker and
# ingest, each on a free port of 127.0.0.1, with their files in one folder. Source it after lib.bash; do not run it.

programs="${repository}/build/release/bin"
local_parts="${repository}/deploy/local"
profile_type=api::user-profile.user-profile
ready_deadline_s=30

# Set by the functions below; call them in this order.
database_url=
kafka_brokers=
worker_admin_url=
ingest_url=
ingest_admin_url=

require_programs() {
  local name
  for name in clerk-ingest clerk-worker dev-broker; do
    [[ -x "${programs}/${name}" ]] || return 1
  done
}

build_what_is_missing() {
  require_programs || make --no-print-directory -C "${repository}" build
}

# A clean environment for every program: otherwise the caller's KAFKA_ or PG variables would configure it. An array and
# not a function, because a trap that runs while a function's output is redirected would write there too.
clean_env=(env -i "PATH=${PATH}" "HOME=${HOME:-/}" LC_ALL=C.UTF-8)
psql=("${clean_env[@]}" psql --no-psqlrc -qX -v ON_ERROR_STOP=1)

sql() { "${psql[@]}" -At "${database_url}" "$@"; }

# Both programs get the same variables; each ignores those that it does not use.
start_ours() {
  local folder="$1" name="$2"
  shift 2
  start_process "${folder}/${name}.pid" "${folder}/${name}.log" "${clean_env[@]}" LOG_FORMAT=json \
    "KAFKA_BROKERS=${kafka_brokers}" "DATABASE_URL=${database_url}" "$@" "${programs}/clerk-${name}"
}

# A program that is started with port 0 logs its real port.
logged_port() {
  local log="$1" message="$2" field="$3"
  sed -n "s/.*\"msg\":\"${message}\".*\"${field}\":\([0-9]*\).*/\1/p" "${log}" | tail -n 1
}

has_port_or_ended() { [[ -n "$(logged_port "$1.log" "$2" port)" ]] || process_is_gone "$1.pid"; }

answers() { curl --noproxy '*' -fsS -o /dev/null --max-time 2 "$1" 2>/dev/null; }

ready_or_ended() { answers "$2/readyz" || process_is_gone "$1.pid"; }

failed_to_start() {
  local folder="$1" name="$2" why="$3"
  show_tail "${folder}/${name}.log"
  die "clerk-${name} ${why}"
}

wait_for_port() {
  local folder="$1" name="$2" message="$3"
  wait_for "${ready_deadline_s}" has_port_or_ended "${folder}/${name}" "${message}" || failed_to_start "${folder}" "${name}" "does not listen"
  process_runs "${folder}/${name}.pid" || failed_to_start "${folder}" "${name}" "ended during its start"
}

wait_until_ready() {
  local folder="$1" name="$2" url="$3"
  wait_for "${ready_deadline_s}" ready_or_ended "${folder}/${name}" "${url}" || {
    curl --noproxy '*' -sS --max-time 2 "${url}/readyz" >&2 || true
    failed_to_start "${folder}" "${name}" "was not ready within ${ready_deadline_s} s"
  }
  process_runs "${folder}/${name}.pid" || failed_to_start "${folder}" "${name}" "ended during its start"
}

start_database() {
  local folder="$1" url
  url="$("${local_parts}/postgres" start "${folder}/postgres" --no-fsync)"
  database_url="${url}"
  sql -c 'create database strapi'
  database_url="${url%/postgres}/strapi"
}

load_strapi_tables() { "${psql[@]}" "${database_url}" -f "${local_parts}/strapi-tables.sql" >/dev/null; }

# dev-broker prints its address as the first line of standard output; librdkafka's messages go to the log.
start_broker() {
  local folder="$1"
  # shellcheck disable=SC2016  # the inner bash expands it
  start_process "${folder}/broker.pid" "${folder}/broker.log" \
    bash -c 'exec "$1" >"$2"' bash "${programs}/dev-broker" "${folder}/broker.address"
  if ! wait_for 10 test -s "${folder}/broker.address"; then
    show_tail "${folder}/broker.log"
    die "dev-broker did not start"
  fi
  kafka_brokers="$(head -n 1 "${folder}/broker.address")"
}

# What an operator does once: create the schema clerk_sync and check the topics. dev-broker does not answer requests for
# topic settings, so `topics` waits three seconds for them.
prepare() {
  local folder="$1" log="$1/prepare.log"
  "${clean_env[@]}" "DATABASE_URL=${database_url}" "${programs}/clerk-worker" migrate >>"${log}" 2>&1 || {
    show_tail "${log}"
    die "clerk-worker migrate failed"
  }
  "${clean_env[@]}" "KAFKA_BROKERS=${kafka_brokers}" "${programs}/clerk-worker" topics --check >>"${log}" 2>&1 || {
    show_tail "${log}"
    die "clerk-worker topics --check failed"
  }
}

# dev-broker answers a waiting consumer only at the end of the wait; Kafka answers as soon as records exist. So the wait
# is short here.
start_worker() {
  local folder="$1"
  shift
  start_ours "${folder}" worker ADMIN_LISTEN=127.0.0.1:0 "STRAPI_PROFILE_CONTENT_TYPES=${profile_type}" \
    KAFKA_FETCH_WAIT_MAX_MS=10 "$@"
  wait_for_port "${folder}" worker 'admin listener started'
  worker_admin_url="http://127.0.0.1:$(logged_port "${folder}/worker.log" 'admin listener started' port)"
}

# A consumer group starts some seconds after its first member joined. Before that, webhooks reach the tables late.
wait_until_reading() {
  local folder="$1"
  wait_for 10 grep -q '"partitions assigned","topic":"clerk.user-events"' "${folder}/worker.log" || true
}

start_ingest() {
  local folder="$1" secret="$2"
  shift 2
  start_ours "${folder}" ingest INGEST_LISTEN=127.0.0.1:0 ADMIN_LISTEN=127.0.0.1:0 "CLERK_WEBHOOK_SIGNING_SECRET=${secret}" "$@"
  wait_for_port "${folder}" ingest listening
  ingest_url="http://127.0.0.1:$(logged_port "${folder}/ingest.log" listening port)"
  ingest_admin_url="http://127.0.0.1:$(logged_port "${folder}/ingest.log" listening admin_port)"
}

new_webhook_secret() { echo "whsec_$(head -c 24 /dev/urandom | base64)"; }

postgres_pid() {
  local folder="$1/postgres" data="$1/postgres/cluster" pid
  [[ ! -s "${folder}/location" ]] || data="$(<"${folder}/location")"
  pid="$(head -n 1 "${data}/data/postmaster.pid" 2>/dev/null)" || return 1
  [[ "$(readlink "/proc/${pid}/cwd" 2>/dev/null)" == "$(readlink -f "${data}/data")" ]] || return 1
  echo "${pid}"
}

running_parts() {
  local folder="$1" name pid
  for name in ingest worker broker; do
    if process_runs "${folder}/${name}.pid"; then
      read -r pid _ <"${folder}/${name}.pid"
      echo "${name} (process ${pid})"
    fi
  done
  if pid="$(postgres_pid "${folder}")"; then echo "PostgreSQL (process ${pid})"; fi
}

# Stops every part that runs and deletes the database. The logs stay in the folder.
stop_stack() {
  local folder="$1" name ending=()
  [[ -d "${folder}" ]] || return 0
  for name in ingest worker; do # in parallel: each takes some seconds to stop
    stop_process "${folder}/${name}.pid" 12 &
    ending+=("$!")
  done
  wait "${ending[@]}" || true
  if [[ -d "${folder}/strapi" ]]; then "${local_parts}/strapi" stop "${folder}/strapi" || true; fi
  stop_process "${folder}/broker.pid" 5
  "${local_parts}/postgres" remove "${folder}/postgres"
}
