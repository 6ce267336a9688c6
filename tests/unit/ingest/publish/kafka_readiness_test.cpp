// The readiness rules R1 to R3 of ingest/publish/kafka_readiness.hpp, as a table.

#include "ingest/publish/kafka_readiness.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;
using ingest::contact_record;
using ingest::kafka_readiness;
using ingest::kafka_view;

// Every possible view, at three times.
std::vector<kafka_view> all_views()
{
    std::vector<kafka_view> all;
    for (auto const answered : {false, true}) {
        for (auto const found : {false, true}) {
            for (auto const record : {contact_record::unknown, contact_record::absent, contact_record::present}) {
                for (auto const configured : {false, true}) {
                    for (std::chrono::steady_clock::duration const time : {0ms, 19'999ms, 20'000ms})
                        all.push_back({answered, found, record, configured, time});
                }
            }
        }
    }
    return all;
}

}

TEST_CASE("readiness: ready by the topics, or after 20 s by the record with sign-in")
{
    constexpr auto present = contact_record::present;
    constexpr auto absent = contact_record::absent;
    constexpr auto unknown = contact_record::unknown;
    struct
    {
        char const* name;
        kafka_view seen;
        kafka_readiness expected;
    } const table[] = {
        {"just started", {false, false, unknown, true, 0s}, kafka_readiness::no_contact},
        {"topics found", {true, true, unknown, true, 0s}, kafka_readiness::ready},
        {"topics found, webhooks alone", {true, true, unknown, false, 0s}, kafka_readiness::ready},
        {"no topics", {true, false, unknown, true, 0s}, kafka_readiness::topics_missing},
        {"no topics, whatever is recorded", {true, false, present, true, 1h}, kafka_readiness::topics_missing},
        {"an outage, recorded, too early", {false, false, present, true, 19'999ms}, kafka_readiness::no_contact},
        {"an outage, recorded", {false, false, present, true, 20s}, kafka_readiness::ready_by_record},
        {"an outage, nothing recorded", {false, false, absent, true, 1h}, kafka_readiness::no_contact},
        {"an outage of the database too", {false, false, unknown, true, 1h}, kafka_readiness::no_contact},
        {"an outage, no sign-in", {false, false, present, false, 1h}, kafka_readiness::no_contact},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(ingest::next_readiness(kafka_readiness::no_contact, row.seen) == row.expected);
    }
}

TEST_CASE("readiness: stays ready")
{
    for (auto const& seen : all_views()) {
        CHECK(ingest::next_readiness(kafka_readiness::ready, seen) == kafka_readiness::ready);
        auto const later = ingest::next_readiness(kafka_readiness::ready_by_record, seen);
        CHECK(later == (seen.topics_found ? kafka_readiness::ready : kafka_readiness::ready_by_record));
    }
}

TEST_CASE("readiness: not ready by the record once brokers have answered without the topics")
{
    for (auto seen : all_views()) {
        seen.brokers_answered = true;
        auto const expected = seen.topics_found ? kafka_readiness::ready : kafka_readiness::topics_missing;
        CHECK(ingest::next_readiness(kafka_readiness::topics_missing, seen) == expected);
    }
}

TEST_CASE("readiness: the record is read only when it can decide")
{
    for (auto const& seen : all_views()) {
        auto const expected = seen.sign_in_configured && seen.since_start >= 20s;
        CHECK(ingest::needs_record(kafka_readiness::no_contact, seen) == expected);
        for (auto const other :
            {kafka_readiness::topics_missing, kafka_readiness::ready_by_record, kafka_readiness::ready})
            CHECK_FALSE(ingest::needs_record(other, seen));
    }
}

}
