#pragma once

// A user's event as the record that ingest writes, and the worker's decoding of it.

#include "tests/bench/sample_users.hpp"
#include "worker/consume/record_decoder.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::bench
{

struct sample_record
{
    std::string key;
    std::string event_id;
    std::string type;
    std::string body;
};

[[nodiscard]] inline sample_record make_record(sample_user const& user, std::string_view type)
{
    return {user.clerk_id, event_id(user), "clerk." + std::string{type}, event_body(user, type)};
}

[[nodiscard]] inline result<user_event, worker::dead_letter_cause> decode(sample_record const& record)
{
    std::vector<worker::record_header> const headers{{"ce_specversion", "1.0"}, {"ce_id", record.event_id},
        {"ce_source", "/clerk/ins_2bENCHMARK000000000000000"}, {"ce_type", record.type}, {"ce_subject", record.key},
        {"ce_dataschema", "urn:clerk-strapi-sync:user-event:1"}, {"ce_time", "2026-01-01T00:00:00.000Z"},
        {"content-type", "application/json"},
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    return worker::decode_record({record.key, record.body, {}, headers}, {});
}

}
