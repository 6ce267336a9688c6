#include "common/event/trace_context.hpp"
#include "ingest/handle_webhook.hpp"
#include "tests/support/ingest/fake_event_publisher.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>
#include <prometheus/text_serializer.h>

namespace clerk_strapi::ingest
{
namespace
{

using tests::user_event;

// handle_webhook on a fake publisher, with a stopped clock.
struct webhook_fixture
{
    tests::fake_event_publisher log;
    metrics counted;
    webhook_verifier verifier{tests::must(parse_signing_keys(tests::secret_text))};
    std::set<std::string, std::less<>> instances;
    std::int64_t now{1716883300};
    std::string const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    webhook_decision receive(std::string const& body, std::string const& id = "msg_1")
    {
        return receive(body, tests::signed_headers(id, body, std::to_string(now)));
    }

    handle_webhook make_story()
    {
        return {verifier, log, counted, instances,
            {[this] { return std::chrono::system_clock::time_point{std::chrono::seconds{now}}; },
                [] { return std::chrono::steady_clock::time_point{}; }, [] { return std::uint64_t{7}; }}};
    }

    webhook_decision receive(std::string const& body, tests::header_list const& headers)
    {
        auto story = make_story();
        return receive(story, body, headers);
    }

    webhook_decision receive(handle_webhook& story, std::string const& body, tests::header_list const& headers)
    {
        incoming_webhook request{{}, body, traceparent};
        for (auto const& [name, value] : headers)
            request.headers.add(name, value);
        boost::asio::io_context io;
        auto answer = boost::asio::co_spawn(io, story(request), boost::asio::use_future);
        io.run();
        return answer.get();
    }

    std::string count(std::string const& outcome, std::string const& type)
    {
        return value_of("clerk_ingest_webhooks_total{outcome=\"" + outcome + "\",type=\"" + type + "\"}");
    }

    std::string value_of(std::string const& series)
    {
        auto const page = prometheus::TextSerializer{}.Serialize(counted.registry()->Collect());
        auto const line = "\n" + series + " ";
        auto const at = page.find(line);
        if (at == std::string::npos) return "no such series";
        return page.substr(at + line.size(), page.find('\n', at + line.size()) - at - line.size());
    }
};

}

TEST_CASE_FIXTURE(
    webhook_fixture, "webhook: a user event is accepted when the topic has it, unchanged and keyed by user [I1]")
{
    auto const body = user_event("user.updated", "user_1");
    CHECK_FALSE(receive(body).reject);
    REQUIRE(log.records().size() == 1);
    auto const& record = log.records()[0];
    CHECK(record.topic == topic_role::user_events);
    CHECK(record.key == "user_1");
    CHECK(record.value == body);
    CHECK(record.headers
        == std::map<std::string, std::string>{{"ce_specversion", "1.0"}, {"ce_id", "msg_1"},
            {"ce_source", "/clerk/ins_1"}, {"ce_type", "clerk.user.updated"}, {"ce_subject", "user_1"},
            {"ce_time", "2024-05-28T08:00:00.000Z"}, {"ce_dataschema", "urn:clerk-strapi-sync:user-event:1"},
            {"content-type", "application/json"}, {"traceparent", traceparent}});
    CHECK(count("accepted", "user.updated") == "1");
}

TEST_CASE_FIXTURE(webhook_fixture, "webhook: no 2xx without an acknowledgement, whatever the reason [I1]")
{
    struct
    {
        publish_outcome answer;
        reject_reason expected;
        unsigned status;
        char const* counter;
    } const table[] = {
        {publish_outcome::queue_full, reject_reason::queue_full, 503, "shed"},
        {publish_outcome::refused, reject_reason::not_acknowledged, 503, "unavailable"},
        {publish_outcome::timed_out, reject_reason::not_acknowledged, 503, "unavailable"},
        {publish_outcome::possibly_persisted, reject_reason::possibly_persisted, 503, "unavailable"},
        {publish_outcome::too_large, reject_reason::record_refused, 503, "unavailable"},
    };
    int unavailable = 0;
    for (auto const& row : table) {
        log.answer_with(row.answer);
        auto const decision = receive(user_event("user.created", "user_1"));
        REQUIRE(decision.reject);
        CHECK(*decision.reject == row.expected);
        CHECK(describe(*decision.reject).status == row.status);
        if (std::string_view{row.counter} == "unavailable") ++unavailable;
    }
    CHECK(log.records().empty());
    CHECK(count("shed", "user.created") == "1");
    CHECK(count("unavailable", "user.created") == std::to_string(unavailable));
    CHECK(count("accepted", "user.created") == "0");

    log.answer_with(publish_outcome::persisted); // then the sender retries
    CHECK_FALSE(receive(user_event("user.created", "user_1")).reject);
    CHECK(count("accepted", "user.created") == "1");
}

TEST_CASE_FIXTURE(
    webhook_fixture, "A15, A16, A17: an authentic but unusable webhook is 2xx and dead-lettered with its reason")
{
    std::string deep(65, '[');
    deep += std::string(65, ']');
    struct
    {
        std::string name;
        std::string body;
        char const* reason;
    } const table[] = {
        {"A15 not JSON", "hello", "not_json"},
        {"A15 empty", "", "not_json"},
        {"A15 byte order mark", "\xef\xbb\xbf" + user_event("user.created", "user_1"), "not_json"},
        {"A15 trailing NUL", user_event("user.created", "user_1") + std::string(1, '\0'), "not_json"},
        {"A15 array at the top", "[1]", "not_an_object"},
        {"A15 number at the top", "1", "not_an_object"},
        {"A15 depth 65", deep, "too_deep"},
        {"A16 data absent", R"({"type":"user.created","object":"event"})", "no_data"},
        {"A16 data null", R"({"type":"user.created","data":null})", "no_data"},
        {"A16 no id", R"({"type":"user.deleted","data":{"deleted":true}})", "no_user_id"},
        {"A16 another object's id", R"({"type":"user.created","data":{"id":"org_1"}})", "bad_user_id"},
        {"A17 type twice", R"({"type":"user.created","type":"user.deleted","data":{"id":"user_1"}})", "duplicate_name"},
        {"A17 id twice", R"({"type":"user.created","data":{"id":"user_1","id":"user_2"}})", "duplicate_name"},
    };
    std::size_t parked = 0;
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK_FALSE(receive(row.body).reject);
        REQUIRE(log.records().size() == ++parked);
        auto const& record = log.records().back();
        CHECK(record.topic == topic_role::dead_letters);
        CHECK(record.value == row.body);
        CHECK(record.headers.at("dlq_reason") == row.reason);
        CHECK(record.headers.at("dlq_topic") == "webhook");
        CHECK(record.headers.at("dlq_partition") == "-1");
        CHECK(record.headers.at("dlq_offset") == "-1");
        CHECK(record.headers.at("ce_id") == "msg_1");
        CHECK(record.headers.at("dlq_time") == "2024-05-28T08:01:40.000Z");
    }
    CHECK(count("parked", "unknown") == std::to_string(parked));

    log.answer_with(publish_outcome::timed_out); // a dead letter that is not stored is not acknowledged either
    CHECK(receive("hello").reject == reject_reason::not_acknowledged);
}

TEST_CASE_FIXTURE(webhook_fixture, "A16: other event types get 2xx, are counted, and are not stored")
{
    CHECK_FALSE(receive(R"({"type":"email.created","data":{"otp_code":"123456"},"instance_id":"ins_9"})").reject);
    CHECK_FALSE(receive(R"({"type":"user.renamed","data":{"id":"user_1"}})").reject);
    CHECK_FALSE(
        receive(R"({"type":"user.seen","data":{"id":"user_1"}})").reject); // ingest's own event type, not Clerk's
    instances = {"ins_1"};
    CHECK_FALSE(receive(R"({"type":"email.created","data":{"otp_code":"123456"},"instance_id":"ins_9"})").reject);
    CHECK(log.records().empty());
    CHECK(count("ignored", "other") == "4");
}

TEST_CASE_FIXTURE(webhook_fixture, "A18: events of another Clerk instance are dead-lettered, never published")
{
    instances = {"ins_1", "ins_2"};
    CHECK_FALSE(receive(user_event("user.created", "user_1", "ins_2")).reject);
    CHECK_FALSE(receive(user_event("user.created", "user_2", "ins_9")).reject);
    CHECK_FALSE(receive(R"({"type":"user.created","data":{"id":"user_3"}})").reject); // without an instance id
    REQUIRE(log.records().size() == 3);
    CHECK(log.records()[0].topic == topic_role::user_events);
    for (auto const i : {1, 2}) {
        auto const& record = log.records()[static_cast<std::size_t>(i)];
        CHECK(record.topic == topic_role::dead_letters);
        CHECK(record.headers.at("dlq_reason") == "foreign_instance");
        CHECK(record.key == "user_" + std::to_string(i + 1));
    }
    CHECK(count("parked", "user.created") == "2");
}

TEST_CASE_FIXTURE(webhook_fixture, "A10, A11: copies and changed bodies under one id are all published [I2]")
{
    CHECK_FALSE(receive(user_event("user.created", "user_1")).reject);
    CHECK_FALSE(receive(user_event("user.created", "user_1")).reject);
    CHECK_FALSE(receive(user_event("user.updated", "user_1")).reject);
    CHECK(log.records().size() == 3);
    now += 301;
    auto const body = user_event("user.created", "user_1");
    CHECK(receive(body, tests::signed_headers("msg_1", body, std::to_string(now - 301))).reject
        == reject_reason::outside_tolerance);
    CHECK(log.records().size() == 3);
    CHECK(count("expired", "unknown") == "1");
}

TEST_CASE_FIXTURE(webhook_fixture, "A5: 300 s from our clock is accepted, 301 s is 401 expired and not published")
{
    auto const body = user_event("user.created", "user_1");
    for (std::int64_t const off : {-300, 300})
        CHECK_FALSE(receive(body, tests::signed_headers("msg_1", body, std::to_string(now + off))).reject);
    CHECK(count("accepted", "user.created") == "2");
    for (std::int64_t const off : {-301, 301}) {
        auto const decision = receive(body, tests::signed_headers("msg_1", body, std::to_string(now + off)));
        REQUIRE(decision.reject);
        CHECK(describe(*decision.reject).status == 401);
        CHECK(describe(*decision.reject).problem == "expired");
    }
    CHECK(count("expired", "unknown") == "2");
    CHECK(log.records().size() == 2);
}

TEST_CASE_FIXTURE(webhook_fixture, "A1-A9: a webhook that is not authentic reaches no topic and is counted by class")
{
    auto const body = user_event("user.created", "user_1");
    auto const good = tests::signed_headers("msg_1", body, std::to_string(now));
    auto headers = good;
    headers.erase(headers.begin());
    CHECK(receive(body, headers).reject == reject_reason::missing_header);
    CHECK(receive(body, headers).detail == "svix-id");
    headers = good;
    headers[2].second = "v1,";
    CHECK(receive(body, headers).reject == reject_reason::not_authentic);
    headers = good;
    CHECK(receive(body + " ", headers).reject == reject_reason::not_authentic);
    CHECK(log.records().empty());
    CHECK(count("malformed", "unknown") == "2");
    CHECK(count("unauthentic", "unknown") == "2");
}

TEST_CASE_FIXTURE(webhook_fixture, "webhook: the record has the event's time, or else the signature's")
{
    CHECK_FALSE(receive(R"({"type":"user.created","data":{"id":"user_1"},"timestamp":1716883200})").reject); // seconds
    CHECK_FALSE(receive(R"({"type":"user.created","data":{"id":"user_1"}})").reject);
    CHECK(log.records().at(0).headers.at("ce_time") == "2024-05-28T08:00:00.000Z");
    CHECK(log.records().at(1).headers.at("ce_time") == "2024-05-28T08:01:40.000Z");
}

TEST_CASE("trace: a valid traceparent is kept, any other is replaced")
{
    CHECK(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    for (std::string const bad : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
             "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
             "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01"}) {
        CAPTURE(bad);
        CHECK_FALSE(is_traceparent(bad));
    }
    CHECK(is_traceparent(make_traceparent({0, 0, 0})));
    CHECK(make_traceparent({1, 2, 4}) == "00-00000000000000010000000000000003-0000000000000005-00");
}

TEST_CASE_FIXTURE(webhook_fixture, "webhook: a different body under a known id is counted, a retry is not [A11]")
{
    auto const first = user_event("user.updated", "user_1");
    auto const other = user_event("user.updated", "user_2");
    auto story = make_story();
    auto const send = [&](std::string const& body) {
        CHECK_FALSE(receive(story, body, tests::signed_headers("msg_1", body, std::to_string(now++))).reject);
        return value_of("clerk_ingest_event_ids_reused_total");
    };
    CHECK(send(first) == "0");
    CHECK(send(first) == "0");
    CHECK(send(other) == "1");
    CHECK(log.records().size() == 3); // the worker decides by version
}

TEST_CASE_FIXTURE(
    webhook_fixture, "webhook: an authentic webhook out of tolerance sets the clock alarm, others do not [F20]")
{
    auto const body = user_event("user.updated", "user_1");
    auto const suspect = [&] { return value_of("clerk_ingest_clock_suspect"); };
    auto const late = tests::signed_headers("msg_1", body, std::to_string(now - 301));
    auto const foreign = tests::signed_headers("msg_1", body + " ", std::to_string(now - 301));

    CHECK(receive(body, foreign).reject == reject_reason::outside_tolerance);
    CHECK(suspect() == "0");
    CHECK(receive(body, late).reject == reject_reason::outside_tolerance);
    CHECK(suspect() == "1");
    CHECK_FALSE(receive(body).reject);
    CHECK(suspect() == "0");
}

}
