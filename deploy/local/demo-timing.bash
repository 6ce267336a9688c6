# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with demo, which sources this
# How long a webhook takes to Strapi's rows, measured for the demo from outside both programs.

timed_webhooks=50

# us_between FROM TO, both as EPOCHREALTIME gives them.
us_between() { echo $((${2/[.,]/} - ${1/[.,]/})); }

milliseconds() { awk -v us="$1" 'BEGIN { printf "%.1f ms", us / 1000 }'; }

# percentile FILE PERCENT
percentile() { sort -n "$1" | awk -v percent="$2" '{ value[NR] = $1 } END { at = int((NR * percent + 99) / 100); print value[at < 1 ? 1 : at] }'; }

spread() { echo "p50 $(milliseconds "$(percentile "$1" 50)"), max $(milliseconds "$(percentile "$1" 100)")"; }

# Reads one answer of ingest from descriptor 7; the connection stays open for the next.
read_answer() {
  local line bytes=0
  IFS= read -r -t "${deadline_s}" line <&7 || return 1
  status="${line#* }"
  status="${status%% *}"
  while IFS= read -r -t "${deadline_s}" line <&7 && [[ "${line}" != $'\r' ]]; do
    line="${line%$'\r'}"
    if [[ "${line,,}" == content-length:* ]]; then bytes="${line##* }"; fi
  done
  IFS= read -r -t "${deadline_s}" -N "${bytes}" _ <&7
}

# Asks over and over whether the user is there, a millisecond apart, over one open connection.
wait_for_row() {
  local clerk_id="$1" found until=$((SECONDS + deadline_s))
  while ((SECONDS < until)); do
    echo "select count(*) from up_users where clerk_id = '${clerk_id}';" >&"${PSQL[1]}"
    IFS= read -r -t "${deadline_s}" found <&"${PSQL[0]}" || return 1
    [[ "${found}" != 1 ]] || return 0
    echo "select 'slept' from pg_sleep(0.001);" >&"${PSQL[1]}"
    IFS= read -r -t "${deadline_s}" found <&"${PSQL[0]}" || return 1
  done
  return 1
}

measure() {
  local i id stamp content seen=0 sent answered visible
  step_name="how long it takes"
  title "From a webhook to Strapi's rows"
  for ((i = 1; i <= timed_webhooks; i++)); do
    id="user_demoTimed${i}"
    stamp="$(date +%s)"
    content="$(event user.created "${id}" "$(now_ms)" Timed "Number ${i}" "timed${i}@example.com")"
    printf 'POST /webhooks/clerk HTTP/1.1\r\nHost: demo\r\nContent-Type: application/json\r\nsvix-id: %s\r\nsvix-timestamp: %s\r\nsvix-signature: %s\r\nContent-Length: %d\r\n\r\n%s' \
      "msg_timed${i}" "${stamp}" "$(signature "msg_timed${i}" "${stamp}" "${content}")" "${#content}" "${content}" >"${folder}/request-${i}"
  done
  : >"${folder}/to-answer"
  : >"${folder}/to-rows"
  coproc PSQL { "${psql[@]}" -At "${database_url}"; }
  exec 7<>"/dev/tcp/127.0.0.1/${ingest_url##*:}"
  for ((i = 1; i <= timed_webhooks; i++)); do
    sent="${EPOCHREALTIME}"
    cat "${folder}/request-${i}" >&7 # in one piece: bash itself would write it line by line
    read_answer || break
    answered="${EPOCHREALTIME}"
    [[ "${status}" == 200 ]] || break
    wait_for_row "user_demoTimed${i}" || break
    visible="${EPOCHREALTIME}"
    seen="${i}"
    us_between "${sent}" "${answered}" >>"${folder}/to-answer"
    us_between "${answered}" "${visible}" >>"${folder}/to-rows"
  done
  exec 7>&-
  eval "exec ${PSQL[1]}>&-"
  wait "${PSQL_PID}" 2>/dev/null || true
  expect "timed webhooks whose rows came" "${timed_webhooks}" "${seen}"
  ((seen > 0)) || return 0
  tell answer "$(spread "${folder}/to-answer")   sent -> 200, which says: the broker has it"
  tell rows "$(spread "${folder}/to-rows")   200 -> the user's row is visible"
  echo "    ${seen} new users one after another, over one connection to ingest; PostgreSQL asked every millisecond or two."
  echo "    This broker lives in memory and PostgreSQL does not wait for its disk: not figures for production."
}
