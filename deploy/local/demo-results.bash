# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154,SC2312  # shared with demo, which sources this
# Prints Strapi's tables, the same users in its REST API, and the counters at the end of the demo.

table() { "${psql[@]}" -P footer=off -P null=- "${database_url}" -c "$1" | sed '/^$/d' | indented; }

show_tables() {
  step_name="the tables at the end"
  title "Strapi's tables now"
  table "select u.id, u.clerk_id, u.username, u.email, u.full_name, u.provider, u.blocked, r.type as role, p.name as profile
           from up_users u
           left join up_users_role_lnk ur on ur.user_id = u.id left join up_roles r on r.id = ur.role_id
           left join user_profiles_user_lnk pu on pu.user_id = u.id left join user_profiles p on p.id = pu.user_profile_id
          order by u.id"
  expect "the number of users, role links, profiles and profile links" "1 1 1 1" "$(sql -F ' ' -c "
    select (select count(*) from up_users), (select count(*) from up_users_role_lnk),
           (select count(*) from user_profiles), (select count(*) from user_profiles_user_lnk)")"
  title "The worker's own state (clerk_sync.user_state)"
  table "select clerk_id, tombstone, case when not tombstone then to_char(to_timestamp(updated_at_ms / 1000.0) at time zone 'UTC', 'HH24:MI:SS.MS') end as newest_updated_at,
                event_id as newest_event, strapi_id from clerk_sync.user_state order by clerk_id"
}

rest() {
  curl --noproxy '*' -fsS -g --max-time 15 -H "Authorization: Bearer ${strapi_token}" "${strapi_url}/api/$1"
}

show_rest() {
  local users profiles strapi_token
  step_name="Strapi's REST API"
  strapi_token="$("${local_parts}/strapi" token "${folder}/strapi")"
  title "The same users in Strapi's REST API"
  users="$(rest 'users?populate=role')" || users='[]'
  echo "    GET /api/users?populate=role"
  jq -c '.[] | {id, documentId, username, email, provider, confirmed, blocked, clerkId, fullName, role: .role.type}' <<<"${users}" | indented
  expect "the users" "${ada} ada.king@example.com Ada King authenticated" \
    "$(jq -r '.[] | "\(.clerkId) \(.email) \(.fullName) \(.role.type)"' <<<"${users}")"
  profiles="$(rest 'user-profiles?populate=*')" || profiles='{"data":[]}'
  echo "    GET /api/user-profiles?populate=*"
  jq -c '.data[] | {id, documentId, name, plan, credits, newsletter, user: .user.clerkId}' <<<"${profiles}" | indented
  expect "the profiles, with the type's own defaults" "Ada King free 7 true ${ada}" \
    "$(jq -r '.data[] | "\(.name) \(.plan) \(.credits) \(.newsletter) \(.user.clerkId)"' <<<"${profiles}")"
}

non_zero() { metrics_of "$1" | grep "^$2{" | grep -v ' 0$' | sort | indented || true; }

show_counters() {
  step_name="the counters at the end"
  title "Counters"
  non_zero "${ingest_admin_url}" clerk_ingest_webhooks_total
  non_zero "${worker_admin_url}" clerk_worker_events_total
  non_zero "${ingest_admin_url}" clerk_ingest_verify_total
  expect "webhooks in total" 11 "$(webhooks)"
  expect "webhooks accepted" 8 "$(webhooks 'outcome="accepted"')"
  expect "events in total" 9 "$(worker_events)"
  expect "tokens rejected as invalid" 1 "$(verified invalid)"
}
