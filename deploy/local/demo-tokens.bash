# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with demo, which sources this
# Session tokens for the demo, signed by OpenSSL with a key that is made for it, and the questions about them.

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

# What ingest has to know to judge the tokens.
token_settings() {
  echo "CLERK_JWT_KEY_FILE=${folder}/token-key.pub"
  echo "CLERK_ISSUER=${issuer}"
}

# token CLERK_ID FIRST LAST EMAIL [KEY]: good for a minute, as Clerk's are.
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

# ask URL [CURL OPTIONS...]: sets status, body and took.
ask() {
  local url="$1"
  shift
  read -r status took < <(curl --noproxy '*' -sS -g --max-time 15 -o "${folder}/answer" -D "${folder}/answer.head" \
    -w '%{http_code} %{time_total}\n' "$@" "${url}") || true
  took="$(awk -v s="${took}" 'BEGIN { printf "%.1f ms", s * 1000 }')"
  body="$(<"${folder}/answer")"
}

verify() { ask "${ingest_url}/v1/auth/verify" -H "Authorization: Bearer $1"; }
# gateway METHOD URI TOKEN: as nginx asks.
gateway() { ask "${ingest_url}/v1/auth/gateway" -H "X-Original-Method: $1" -H "X-Original-URI: $2" -H "Authorization: Bearer $3"; }

is_user() {
  tell answer "${status} $(jq -c '{clerkId, user: {id: .user.id, email: .user.email, role: .user.role.type}}' <<<"${body}" 2>/dev/null || echo "${body}")  (${took})"
  expect "the answer's status" 200 "${status}"
  expect "who it is" "$1" "$(jq -r '"\(.clerkId) \(.user.email) \(.user.role.type)"' <<<"${body}" 2>/dev/null || echo "${body}")"
}

identity_headers() { grep -iE '^x-(clerk|strapi)-' "${folder}/answer.head" | tr -d '\r' | paste -sd ' ' || true; }
verified() { counter "${ingest_admin_url}" clerk_ingest_verify_total "outcome=\"$1\""; }
is_forbidden() { verify "$1" && [[ "${status}" == 403 ]]; }

show_token_steps() {
  local linus_token ada_token ada_id linus_id
  ada_id="$(sql -c "select id from up_users where clerk_id = '${ada}'")"
  linus_token="$(token "${linus}" Linus Pauling linus@example.com)"

  step "A session token of somebody whom Strapi does not know: his first request makes the user"
  tell asked "GET /v1/auth/verify  ${linus}'s token, a minute old at most"
  verify "${linus_token}"
  is_user "${linus} linus@example.com authenticated"
  worker_made user.seen created
  user_is "${linus}" "linus@example.com | Linus Pauling | authenticated | Linus Pauling"
  linus_id="$(sql -c "select id from up_users where clerk_id = '${linus}'")"

  step "The same token again: answered from memory, and no further event"
  remember_rows
  verify "${linus_token}"
  is_user "${linus} linus@example.com authenticated"
  expect "events of the worker" "${events_so_far}" "$(worker_events)"
  nothing_changed

  step "He asks for his own data through a gateway, then for somebody else's"
  tell asked "GET /api/users/${linus_id}, his own"
  gateway GET "/api/users/${linus_id}" "${linus_token}"
  tell answer "${status}, no body; $(identity_headers)  (${took})"
  expect "the answer's status" 200 "${status}"
  expect "the identity" "${linus} ${linus_id}" \
    "$(sed -nE 's/^x-clerk-user-id: ([^\r]*)\r?$/\1/ip' "${folder}/answer.head") $(sed -nE 's/^x-strapi-user-id: ([^\r]*)\r?$/\1/ip' "${folder}/answer.head")"
  tell asked "GET /api/users/${ada_id}, Ada's"
  gateway GET "/api/users/${ada_id}" "${linus_token}"
  answered 403 urn:clerk-strapi-sync:not_owner
  [[ -z "${strapi}" ]] || show_strapi_with_token "${linus_token}" "${linus_id}" "${ada_id}"

  step "A token that somebody else signed"
  verify "$(token "${linus}" Linus Pauling linus@example.com "${folder}/strangers-key.pem")"
  answered 401 urn:clerk-strapi-sync:invalid_token

  step "Clerk deletes him; his token is good for some seconds more, and he stays out"
  tell sent "user.deleted  ${linus}"
  send --type user.deleted --user "${linus}"
  accepted
  worker_made user.deleted deleted
  wait_for 3 is_forbidden "${linus_token}" || true # the row may be a second old
  tell asked "GET /v1/auth/verify  the same token"
  answered 403 urn:clerk-strapi-sync:user_deleted
  user_is "${linus}" ""
}

# strapi_as TOKEN PATH: by Strapi itself, whose plugin asks ingest.
strapi_as() { ask "${strapi_url}/api/$2" -H "Authorization: Bearer $1"; }

show_strapi_with_token() {
  tell asked "Strapi itself: GET /api/users/me, /api/users/$2, /api/users/$3, and /api/users without any token"
  strapi_as "$1" users/me
  tell answer "${status} $(jq -c '{id, email}' <<<"${body}" 2>/dev/null || echo "${body}")"
  expect "who Strapi says it is" "$2" "$(jq -r .id <<<"${body}" 2>/dev/null)"
  strapi_as "$1" "users/$2"
  expect "his own row" 200 "${status}"
  strapi_as "$1" "users/$3"
  tell answer "${status} for Ada's"
  expect "Ada's row" 403 "${status}"
  ask "${strapi_url}/api/users"
  expect "the user list without a token" 403 "${status}"
}
