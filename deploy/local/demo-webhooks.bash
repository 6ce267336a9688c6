# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # shared with demo, which sources this
# Webhooks for the demo: sent by clerk-ingest send, or signed by OpenSSL, which shares no code with the product.

now_ms() { date +%s%3N; }

# event TYPE ID UPDATED_AT [FIRST LAST EMAIL]: a webhook's body as Clerk writes it.
event() {
  jq -cn --arg type "$1" --arg id "$2" --argjson updated "$3" --arg first "${4:-}" --arg last "${5:-}" --arg email "${6:-}" \
    --argjson now "$(now_ms)" --arg instance "${instance}" '
    {data: {id: $id, object: "user", username: null, first_name: $first, last_name: $last, primary_email_address_id: "idn_1",
      email_addresses: [{id: "idn_1", object: "email_address", email_address: $email, verification: {status: "verified", strategy: "email_code"}, linked_to: []}],
      public_metadata: {}, banned: false, locked: false, created_at: $updated, updated_at: $updated},
     object: "event", type: $type, timestamp: $now, instance_id: $instance}'
}

# send OPTIONS...: sends with clerk-ingest send; sets status and body.
send() {
  local answer
  answer="$("${clean_env[@]}" "CLERK_WEBHOOK_SIGNING_SECRET=${secret}" \
    "${programs}/clerk-ingest" send --to "${ingest_url}" --instance "${instance}" "$@" 2>"${folder}/send.log")" || true
  status="${answer%% *}"
  body="${answer#* }"
  [[ -n "${answer}" ]] || body="no response: $(tail -n 1 "${folder}/send.log")"
}

secret_in_hex() { printf '%s' "${secret#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n'; }

# signature ID SECONDS BODY: computed by OpenSSL, independently of the product's code.
signature() {
  echo "v1,$(printf '%s.%s.%s' "$1" "$2" "$3" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:${secret_hex}" -binary | base64 -w 0)"
}

# post ID SECONDS SIGNATURE BODY: sends any signature; sets status and body.
post() {
  status="$(curl --noproxy '*' -sS --max-time 15 -o "${folder}/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
    -H "svix-id: $1" -H "svix-timestamp: $2" -H "svix-signature: $3" --data-binary "$4" "${ingest_url}/webhooks/clerk")" || true
  body="$(cat "${folder}/answer")"
}
