// The records that the commands publish, as the worker decodes them.

#include "worker/consume/record_decoder.hpp"
#include "worker/operate/snapshot_record.hpp"

#include <doctest/doctest.h>

namespace clerk_strapi::worker
{
namespace
{

constexpr std::int64_t asked_at_ms = 1'750'000'000'500;

user_event decoded(user_record const& record)
{
    std::vector<record_header> headers;
    for (auto const& [name, value] : record.headers)
        headers.push_back({name, value});
    auto const event = decode_record({record.key, record.value, asked_at_ms, headers}, {{"ins_1"}, ""});
    if (!event) throw std::runtime_error{std::string{event.error().name()}};
    return *event;
}

}

TEST_CASE("snapshot: its version is updated_at, request time, no event id and the body's hash [I2]")
{
    std::string const raw =
        R"({ "id":"user_1","updated_at":1750000000000,"created_at":1740000000000,"first_name":"Ada"})";
    auto const record = snapshot_record("user_1", raw, "ins_1", asked_at_ms);
    CHECK(record.key == "user_1");
    CHECK(record.value.find(raw) != std::string::npos);
    auto const event = decoded(record);
    CHECK(event.kind == event_kind::snapshot);
    CHECK(event.desired.full_name == "Ada");
    CHECK(event.version == event_version{1'750'000'000'000, asked_at_ms, "", sha256(record.value)});
}

TEST_CASE("absence record: decodes as a deletion of the user, dated when Clerk was asked [I3]")
{
    auto const event = decoded(absence_record("user_1", "ins_1", asked_at_ms));
    CHECK(event.kind == event_kind::deleted);
    CHECK(event.clerk_id == "user_1");
    CHECK(event.version.event_ms == asked_at_ms);
}

}
