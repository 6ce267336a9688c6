# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with demo, which sources this
# Session tokens for the demo, signed by OpenSSL with a new key, and the requests that verify them.

issuer=https://clerk.demo.example
linus=user_demoLinus
token_key="" # set by make_token_key

base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }

make_token_key() {
  token_key="${folder}/token-key.pem"
  openssl genrsa -out "${token_key}" 2048 2>/dev/null
  openssl rsa -in "${token_key}" -pubout -out "${folder}/token-key.pub" 2>/dev/null
  openssl genrsa -out "${folder}/strangers-key.pem" 2048 2>/dev/null
}

# The settings that ingest needs to verify the tokens.
token_settings() {
  echo "CLERK_JWT_KEY_FILE=${folder}/token-key.pub"
  echo "CLERK_ISSUER=${issuer}"
}

# token CLERK_ID FIRST LAST EMAIL [KEY]: valid for one minute, as Clerk's are.
token() {
  local now header claims signed
  now="$(date +%s)"
  header="$(jq -cn --arg kid "${instance}" '{alg: "RS256", cat: "cl_B7d4PD111AAA", kid: $kid, typ: "JWT"}' | tr -d '\n' | base64url)"
  claims="$(jq -cn --arg sub "$1" --arg first "$2" --arg last "$3" --arg email "$4" --arg iss "${issuer}" --argjson now "${now}" '
    {iss: $iss, sub: $sub, sid: "sess_demo", v: 2, sts: "active", azp: "https://app.demo.example",
     iat: $now, nbf: ($now - 10), exp: ($now + 60), first_name: $first, last_name: $last, email: $email}' | tr -d '\n' | base64url)"
  signed="$(printf '%s.%s' "${header}" "${claims}" | openssl dgst -sha256 -sign "${5:-${token_key}}" -binary | base64url)"
  echo "${header}.${claims}.${signed}"
}

# fetch URL [CURL OPTIONS...]: sets status, body and took.
fetch() {
  local url="$1"
  shift
  read -r status took < <(curl --noproxy '*' -sS -g --max-time 15 -o "${folder}/answer" -D "${folder}/answer.head" \
    -w '%{http_code} %{time_total}\n' "$@" "${url}") || true
  took="$(awk -v s="${took}" 'BEGIN { printf "%.1f ms", s * 1000 }')"
  body="$(<"${folder}/answer")"
}

verify() { fetch "${ingest_url}/v1/auth/verify" -H "Authorization: Bearer $1"; }
# gateway METHOD URI TOKEN: the request that nginx sends.
gateway() { fetch "${ingest_url}/v1/auth/gateway" -H "X-Original-Method: $1" -H "X-Original-URI: $2" -H "Authorization: Bearer $3"; }

is_user() {
  show response "${status} $(jq -c '{clerkId, user: {id: .user.id, email: .user.email, role: .user.role.type}}' <<<"${body}" 2>/dev/null || echo "${body}")  (${took})"
  expect "the response status" 200 "${status}"
  expect "the user" "$1" "$(jq -r '"\(.clerkId) \(.user.email) \(.user.role.type)"' <<<"${body}" 2>/dev/null || echo "${body}")"
}

identity_headers() { grep -iE '^x-(clerk|strapi)-' "${folder}/answer.head" | tr -d '\r' | paste -sd ' ' || true; }
verified() { counter "${ingest_admin_url}" clerk_ingest_verify_total "outcome=\"$1\""; }
is_forbidden() { verify "$1" && [[ "${status}" == 403 ]]; }

show_token_steps() {
  local linus_token ada_token ada_id linus_id
  ada_id="$(sql -c "select id from up_users where clerk_id = '${ada}'")"
  linus_token="$(token "${linus}" Linus Pauling linus@example.com)"

  step "A session token of a user that Strapi does not have: the first request creates the user"
  show request "GET /v1/auth/verify  with a token of ${linus}"
  verify "${linus_token}"
  is_user "${linus} linus@example.com authenticated"
  worker_applied user.seen created
  user_is "${linus}" "linus@example.com | Linus Pauling | authenticated | Linus Pauling"
  linus_id="$(sql -c "select id from up_users where clerk_id = '${linus}'")"

  step "The same token again: ingest answers from its cache and publishes no event"
  remember_rows
  verify "${linus_token}"
  is_user "${linus} linus@example.com authenticated"
  expect "events of the worker" "${events_so_far}" "$(worker_events)"
  nothing_changed

  step "Linus reads the row of Linus through a gateway, then the row of another user"
  show request "GET /api/users/${linus_id}, the user's own row"
  gateway GET "/api/users/${linus_id}" "${linus_token}"
  show response "${status}, no body; $(identity_headers)  (${took})"
  expect "the response status" 200 "${status}"
  expect "the identity" "${linus} ${linus_id}" \
    "$(sed -nE 's/^x-clerk-user-id: ([^\r]*)\r?$/\1/ip' "${folder}/answer.head") $(sed -nE 's/^x-strapi-user-id: ([^\r]*)\r?$/\1/ip' "${folder}/answer.head")"
  show request "GET /api/users/${ada_id}, Ada's row"
  gateway GET "/api/users/${ada_id}" "${linus_token}"
  response_is 403 urn:clerk-strapi-sync:not_owner
  [[ -z "${strapi}" ]] || show_strapi_with_token "${linus_token}" "${linus_id}" "${ada_id}"

  step "A token signed with another key"
  verify "$(token "${linus}" Linus Pauling linus@example.com "${folder}/strangers-key.pem")"
  response_is 401 urn:clerk-strapi-sync:invalid_token

  step "Clerk deletes Linus: ingest rejects the token although it has not expired"
  show sent "user.deleted  ${linus}"
  send --type user.deleted --user "${linus}"
  accepted
  worker_applied user.deleted deleted
  wait_for 3 is_forbidden "${linus_token}" || true # ingest caches the row for a second
  show request "GET /v1/auth/verify  with the same token"
  response_is 403 urn:clerk-strapi-sync:user_deleted
  user_is "${linus}" ""
}

# strapi_as TOKEN PATH: a request to Strapi, whose plugin lets ingest verify the token.
strapi_as() { fetch "${strapi_url}/api/$2" -H "Authorization: Bearer $1"; }

show_strapi_with_token() {
  show request "to Strapi: GET /api/users/me, /api/users/$2, /api/users/$3, and /api/users without a token"
  strapi_as "$1" users/me
  show response "${status} $(jq -c '{id, email}' <<<"${body}" 2>/dev/null || echo "${body}")"
  expect "the user that Strapi returns" "$2" "$(jq -r .id <<<"${body}" 2>/dev/null)"
  strapi_as "$1" "users/$2"
  expect "the status for Linus's own row" 200 "${status}"
  strapi_as "$1" "users/$3"
  show response "${status} for Ada's row"
  expect "the status for Ada's row" 403 "${status}"
  fetch "${strapi_url}/api/users"
  expect "the status of the user list without a token" 403 "${status}"
}
