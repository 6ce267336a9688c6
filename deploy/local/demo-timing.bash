# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with demo, which sources this
# Measures the time from a webhook to Strapi's rows for the demo, from outside both programs.

timed_webhooks=50

# us_between FROM TO, both as EPOCHREALTIME values.
us_between() { echo $((${2/[.,]/} - ${1/[.,]/})); }

milliseconds() { awk -v us="$1" 'BEGIN { printf "%.1f ms", us / 1000 }'; }

# percentile FILE PERCENT
percentile() { sort -n "$1" | awk -v percent="$2" '{ value[NR] = $1 } END { at = int((NR * percent + 99) / 100); print value[at < 1 ? 1 : at] }'; }

spread() { echo "p50 $(milliseconds "$(percentile "$1" 50)"), max $(milliseconds "$(percentile "$1" 100)")"; }

# Reads one response of ingest from descriptor 7; the connection stays open for the next request.
read_response() {
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

# Queries the user every millisecond until the row exists, over one open connection.
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
  local i id stamp content seen=0 sent responded visible
  step_name="timing"
  title "Time from a webhook to Strapi's rows"
  for ((i = 1; i <= timed_webhooks; i++)); do
    id="user_demoTimed${i}"
    stamp="$(date +%s)"
    content="$(event user.created "${id}" "$(now_ms)" Timed "Number ${i}" "timed${i}@example.com")"
    printf 'POST /webhooks/clerk HTTP/1.1\r\nHost: demo\r\nContent-Type: application/json\r\nsvix-id: %s\r\nsvix-timestamp: %s\r\nsvix-signature: %s\r\nContent-Length: %d\r\n\r\n%s' \
      "msg_timed${i}" "${stamp}" "$(signature "msg_timed${i}" "${stamp}" "${content}")" "${#content}" "${content}" >"${folder}/request-${i}"
  done
  : >"${folder}/to-response"
  : >"${folder}/to-rows"
  coproc PSQL { "${psql[@]}" -At "${database_url}"; }
  exec 7<>"/dev/tcp/127.0.0.1/${ingest_url##*:}"
  for ((i = 1; i <= timed_webhooks; i++)); do
    sent="${EPOCHREALTIME}"
    cat "${folder}/request-${i}" >&7 # cat writes it in one piece; bash would write it line by line
    read_response || break
    responded="${EPOCHREALTIME}"
    [[ "${status}" == 200 ]] || break
    wait_for_row "user_demoTimed${i}" || break
    visible="${EPOCHREALTIME}"
    seen="${i}"
    us_between "${sent}" "${responded}" >>"${folder}/to-response"
    us_between "${responded}" "${visible}" >>"${folder}/to-rows"
  done
  exec 7>&-
  eval "exec ${PSQL[1]}>&-"
  wait "${PSQL_PID}" 2>/dev/null || true
  expect "timed webhooks whose rows appeared" "${timed_webhooks}" "${seen}"
  ((seen > 0)) || return 0
  show response "$(spread "${folder}/to-response")   sent -> 200 (the broker has acknowledged the event)"
  show rows "$(spread "${folder}/to-rows")   200 -> the user's row is visible"
  echo "    ${seen} new users one after another, over one connection to ingest; PostgreSQL queried every one to two milliseconds."
  echo "    Not figures for production: this broker is in memory, and PostgreSQL does not wait for its disk."
}
