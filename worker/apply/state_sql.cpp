#include "worker/apply/state_sql.hpp"

namespace clerk_strapi::worker
{

namespace
{

constexpr auto state_columns =
    "clerk_id, tombstone, updated_at_ms, event_ms, event_id, body_hash, email, email_verified, "
    "username, full_name, banned, created_at_ms, strapi_id, document_id, role_id, profile_name, "
    "blocked_by_us, mapping_hash, waits_for, role_hints, role_answer";

constexpr auto state_arrays = "unnest($1::text[], $2::boolean[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], "
                              "$7::text[], $8::boolean[], $9::text[], $10::text[], $11::boolean[], $12::bigint[], "
                              "$13::int[], $14::text[], $15::int[], $16::text[], $17::boolean[], $18::text[], "
                              "$19::text[], $20::text[], $21::text[])"; // 19 and 20 hold arrays, as text

}

std::vector<statement> state_statements()
{
    std::string const columns = state_columns;
    std::string const arrays = state_arrays;
    auto const from_arrays = " from " + arrays + " as i(" + columns + ")";
    auto const read_states = std::string{
        "select clerk_id, tombstone, updated_at_ms, event_ms, event_id, encode(body_hash, 'hex'), email, "
        "email_verified, username, full_name, banned, created_at_ms, strapi_id, document_id, role_id, profile_name, "
        "blocked_by_us, mapping_hash, waits_for, role_hints, role_answer, revived_at_ms from clerk_sync.user_state "
        "where clerk_id = any($1::text[]) order by clerk_id"};
    return {
        {"lock_states", read_states + " for update"},
        // Rule L4.
        {"lock_states_now", read_states + " for update nowait"},
        {"insert_states",
            "insert into clerk_sync.user_state (" + columns
                + ") select i.clerk_id, i.tombstone, i.updated_at_ms, i.event_ms, i.event_id, decode(i.body_hash, "
                  "'hex'), "
                  "i.email, i.email_verified, i.username, i.full_name, i.banned, i.created_at_ms, i.strapi_id, "
                  "i.document_id, i.role_id, i.profile_name, i.blocked_by_us, i.mapping_hash, i.waits_for::text[], "
                  "i.role_hints::text[], i.role_answer"
                + from_arrays},
        {"update_states",
            "update clerk_sync.user_state s set tombstone = i.tombstone, updated_at_ms = i.updated_at_ms, "
            "event_ms = i.event_ms, event_id = i.event_id, body_hash = decode(i.body_hash, 'hex'), email = i.email, "
            "email_verified = i.email_verified, username = i.username, full_name = i.full_name, banned = i.banned, "
            "created_at_ms = i.created_at_ms, strapi_id = i.strapi_id, document_id = i.document_id, role_id = "
            "i.role_id, "
            "profile_name = i.profile_name, blocked_by_us = i.blocked_by_us, mapping_hash = i.mapping_hash, "
            "waits_for = i.waits_for::text[], role_hints = i.role_hints::text[], role_answer = i.role_answer"
                + from_arrays + " where s.clerk_id = i.clerk_id"},
        {"put_positions",
            "insert into clerk_sync.next_offset (cluster_id, topic, partition, value) "
            "select * from unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) "
            "on conflict (cluster_id, topic, partition) do update set value = excluded.value"},
        {"get_positions", "select topic, partition, value from clerk_sync.next_offset where cluster_id = $1"},
        // Rule L2: the caller sorts the keys.
        {"lock_values", "select pg_advisory_xact_lock(k) from unnest($1::bigint[]) as v(k)"},
        // Rule L4.
        {"try_lock_values", "select bool_and(pg_try_advisory_xact_lock(k)) from unnest($1::bigint[]) as v(k)"},
    };
}

}
