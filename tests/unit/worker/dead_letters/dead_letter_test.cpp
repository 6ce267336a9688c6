// The record that a redrive publishes, and the parts of a body that an operator may see.

#include "worker/dead_letters/dead_letter.hpp"
#include "worker/operate/masked_json.hpp"

#include <doctest/doctest.h>

using namespace clerk_strapi::worker;

namespace
{

constexpr std::int64_t now_ms = 1'763'872'200'000;
constexpr auto body = R"({"type":"user.created","timestamp":1763872200000,"instance_id":"ins_a",)"
                      R"("data":{"id":"user_a","created_at":1763872200000,"updated_at":1763872200000}})";
constexpr redrive_topics topics{"events", "sights", "snapshots"};

std::vector<record_header> letter_headers(char const* topic)
{
    return {{"ce_specversion", "1.0"}, {"ce_id", "msg_1"}, {"ce_type", "clerk.user.created"}, {"ce_subject", "user_a"},
        {"dlq_reason", "bad_time"}, {"dlq_topic", topic}, {"dlq_partition", "3"}, {"dlq_offset", "120"}};
}

}

TEST_CASE("redrive: publishes the original record to its topic, without dlq_ headers [I2]")
{
    auto const headers = letter_headers("sights");
    auto const plan = plan_redrive({"user_a", body, now_ms, headers}, topics, {}, now_ms);
    REQUIRE(plan.has_value());
    CHECK(plan->topic == "sights");
    CHECK(plan->key == "user_a");
    CHECK(plan->value == body);
    REQUIRE(plan->headers.size() == 4);
    CHECK(plan->headers[1].value == "msg_1");
}

TEST_CASE("redrive: a webhook dead-lettered by ingest gets key and headers from its body")
{
    std::vector<record_header> const headers{
        {"ce_specversion", "1.0"}, {"ce_id", "msg_1"}, {"dlq_topic", "webhook"}, {"dlq_partition", "-1"}};
    auto const plan = plan_redrive({std::nullopt, body, now_ms, headers}, topics, {}, now_ms);
    REQUIRE(plan.has_value());
    CHECK(plan->topic == "events");
    CHECK(plan->key == "user_a");
}

TEST_CASE("redrive: refuses a record that would be dead-lettered again, with the current reason [I8]")
{
    struct
    {
        char const* topic;
        char const* value;
        std::vector<std::string> instances;
        std::int64_t now;
        char const* reason;
    } const rows[] = {
        {"events", "[]", {}, now_ms, "not_an_object"},
        {"events", body, {"ins_b"}, now_ms, "foreign_instance"},
        {"events", body, {}, now_ms - 7'200'000, "version_in_future"},
        {"somewhere", body, {}, now_ms, "unknown_topic"},
        {"webhook", "{", {}, now_ms, "not_json"},
        {"webhook", R"({"type":"session.created","data":{}})", {}, now_ms, "not_a_user_event"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.reason);
        auto const headers = letter_headers(row.topic);
        auto const plan = plan_redrive({"user_a", row.value, now_ms, headers}, topics, {row.instances, ""}, row.now);
        REQUIRE_FALSE(plan.has_value());
        CHECK(plan.error().reason == row.reason);
    }
}

TEST_CASE("dead letter: one without its body differs from one that never had a body")
{
    auto headers = letter_headers("events");
    record_view const gone{"user_a", "", now_ms, headers};
    CHECK(lacks_body(gone, read_dead_letter(gone)));
    headers[4].value = "no_value";
    CHECK_FALSE(lacks_body(gone, read_dead_letter(gone)));
}

TEST_CASE("masked body: shows ids, kinds and times, and no personal data [I6]")
{
    auto const shown = masked_json(R"({"type":"user.updated","timestamp":7,"data":{"id":"user_a","first_name":"Ada",)"
                                   R"("banned":false,"username":null,"updated_at":8,"phone_numbers":["+1"],)"
                                   R"("email_addresses":[{"id":"idn_1","email_address":"ada@example.com"}],)"
                                   R"("private_metadata":{"id":"secret","ssn":12}}})");
    REQUIRE(shown.has_value());
    for (auto const* const kept : {"user.updated", "user_a", "idn_1", "false", "null", "8"})
        CHECK(shown->find(kept) != std::string::npos);
    for (auto const* const personal : {"Ada", "ada@", "+1", "secret", "12"})
        CHECK(shown->find(personal) == std::string::npos);
    CHECK_FALSE(masked_json("not JSON").has_value());
    CHECK_FALSE(masked_json(std::string(1'000'000, '[')).has_value());
}

TEST_CASE("masked address: hides the text, and stays recognisable to its owner [I6]")
{
    CHECK(masked_text("ada@example.com") == "a\u2026@e\u2026.com");
    CHECK(masked_text("\u00e9va") == "\u00e9\u2026");
    CHECK(masked_text("").empty());
}
