// Fault tests in four steps: it works, break it, check what the sender sees, check that it recovers.

#include "common/kafka/producer.hpp"
#include "common/kafka/waiting_producer.hpp"
#include "tests/support/ingest/running_ingest.hpp"

#include <doctest/doctest.h>

#include <map>
#include <mutex>
#include <set>

namespace clerk_strapi::tests
{
namespace
{

using namespace std::chrono_literals;

auto seconds_since(std::chrono::steady_clock::time_point started) { return std::chrono::steady_clock::now() - started; }

std::function<void(ingest::config&)> timeout_of(std::chrono::milliseconds time)
{
    return [time](ingest::config& settings) { settings.publish_timeout = time; };
}

}

TEST_CASE("brokers down: 503 within the deadline, /readyz names it, and ingest recovers [I1, I9]")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers(), timeout_of(700ms)};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    CHECK(eventually(10s, [&] { return ingest.admin("/readyz").status == 200; }));

    kafka.go_down();
    auto const started = std::chrono::steady_clock::now();
    auto const answer = ingest.deliver("msg_during", user_event("user.created", "user_2"));
    CHECK(answer.status == 503);
    CHECK(answer.problem() == "unavailable");
    CHECK(std::stoi(answer.headers.at("retry-after")) >= 1);
    CHECK(seconds_since(started) < 2s);
    CHECK(ingest.webhooks("unavailable", "user.created") == 1);
    CHECK(eventually(
        10s, [&] { return ingest.admin("/readyz").body.find(R"({"check":"kafka","ok":false)") != std::string::npos; }));
    CHECK(ingest.admin("/readyz").status == 200); // R1: ready stays ready
    CHECK(ingest.admin("/livez").status == 200);

    kafka.come_back();
    CHECK(eventually(
        20s, [&] { return ingest.deliver("msg_after", user_event("user.created", "user_3")).status == 200; }));
    CHECK(kafka.records_with_id(events, "msg_after").size() >= 1);
    CHECK(eventually(5s, [&] { return ingest.metric("clerk_ingest_dependency_up{dependency=\"kafka\"}") == 1; }));
}

TEST_CASE("brokers down at the start: ingest returns 503 and needs no restart [I9]")
{
    mock_kafka kafka;
    kafka.go_down();
    running_ingest ingest{kafka.brokers(), timeout_of(500ms)};
    CHECK(ingest.deliver("msg_early", user_event("user.created", "user_1")).status == 503);
    CHECK(ingest.admin("/readyz").status == 503);
    kafka.come_back();
    CHECK(eventually(
        20s, [&] { return ingest.deliver("msg_late", user_event("user.created", "user_1")).status == 200; }));
    CHECK(eventually(20s, [&] { return ingest.admin("/readyz").status == 200; }));
}

TEST_CASE("slow brokers: the sender gets 503 in time, and a late report changes nothing")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers(), timeout_of(600ms)};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    kafka.slow_down(1500);
    auto const started = std::chrono::steady_clock::now();
    CHECK(ingest.deliver("msg_slow", user_event("user.created", "user_2")).status == 503);
    CHECK(seconds_since(started) < 1400ms);
    kafka.slow_down(0);
    CHECK(eventually(
        20s, [&] { return ingest.deliver("msg_again", user_event("user.created", "user_2")).status == 200; }));
}

TEST_CASE("brokers: a permanent rejection is 503; a temporary one only takes longer")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers(), timeout_of(2000ms)};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    constexpr int not_enough_replicas = 19;
    constexpr int topic_authorization_failed = 29;
    kafka.refuse_next_produces(not_enough_replicas, 1);
    CHECK(ingest.deliver("msg_retried", user_event("user.created", "user_2")).status == 200);
    CHECK(kafka.records_with_id(events, "msg_retried").size() == 1);
    kafka.refuse_next_produces(topic_authorization_failed, 1);
    CHECK(ingest.deliver("msg_refused", user_event("user.created", "user_3")).status == 503);
    CHECK(eventually(
        20s, [&] { return ingest.deliver("msg_after", user_event("user.created", "user_3")).status == 200; }));
}

TEST_CASE("F8: after a fatal error the producer is rebuilt: its records get 503 [I1, I9]")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers(), timeout_of(3000ms)};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    constexpr int out_of_order_sequence_number = 45;
    kafka.refuse_next_produces(out_of_order_sequence_number, 1);
    CHECK(ingest.deliver("msg_broken", user_event("user.created", "user_1")).status == 503);
    CHECK(eventually(
        20s, [&] { return ingest.deliver("msg_after", user_event("user.created", "user_1")).status == 200; }));
    CHECK(kafka.records_with_id(events, "msg_after").size() >= 1);
}

TEST_CASE("producer: reports a full queue at once, and accepts records again when it drains")
{
    mock_kafka kafka;
    kafka.go_down();
    std::atomic<int> reported{0};
    kafka::producer_options options;
    options.give_up_after = 1000ms;
    options.queue_bytes_max = 64 * 1024;
    kafka::producer producer{{kafka.brokers(), "full", {{"log_level", "0"}, {"reconnect.backoff.max.ms", "300"}}},
        options, [&](std::vector<kafka::report> const& batch) { reported += static_cast<int>(batch.size()); }};
    std::string const value(10'000, 'x');
    int taken = 0;
    auto outcome = kafka::enqueued::queued;
    while (outcome == kafka::enqueued::queued && taken < 100) {
        outcome = producer.publish({events, "user_1", value}, static_cast<std::uint64_t>(taken));
        if (outcome == kafka::enqueued::queued) ++taken;
    }
    CHECK(outcome == kafka::enqueued::queue_full);
    CHECK(taken < 10);
    kafka.come_back();
    CHECK(eventually(30s, [&] { return reported == taken; })); // exactly one report each
    CHECK(producer.publish({events, "user_1", std::string(2'000'000, 'x')}, 7) == kafka::enqueued::too_large);
}

TEST_CASE("producer: a record counts as persisted only if it is in the topic [I1]")
{
    // The first batch of a new producer is rejected (a leader just moved) while the next is in flight. The broker has
    // no sequence of this producer yet and accepts the second; librdkafka then counts the first as delivered, too.
    constexpr int not_leader = 6;
    mock_kafka kafka;
    std::mutex mutex;
    std::map<std::uint64_t, kafka::delivery> reported;
    kafka::producer producer{{kafka.brokers(), "test", {{"batch.num.messages", "1"}}}, {}, // one request per record
        [&](std::vector<kafka::report> reports) {
            std::lock_guard const lock{mutex};
            for (auto const& [tag, outcome] : reports)
                reported[tag] = outcome;
        }};
    kafka.slow_down(200);
    kafka.refuse_next_produces(not_leader, 1);
    for (std::uint64_t tag = 1; tag <= 2; ++tag) {
        auto const value = std::to_string(tag);
        REQUIRE(producer.publish({events, "user_1", value, {}}, tag) == kafka::enqueued::queued);
    }
    REQUIRE(producer.flush(20s));
    kafka.slow_down(0);
    auto const all_reported = [&] {
        std::lock_guard const lock{mutex};
        return reported.size() == 2;
    };
    REQUIRE(eventually(20s, all_reported));
    std::set<std::string> in_log;
    for (auto const& record : kafka.records(events))
        in_log.insert(record.value);
    for (auto const& [tag, outcome] : reported) {
        CAPTURE(tag);
        if (outcome == kafka::delivery::persisted) CHECK(in_log.contains(std::to_string(tag)));
    }
}

TEST_CASE("waiting producer: one outcome per record, never after the deadline")
{
    mock_kafka kafka;
    kafka::producer_options options;
    options.give_up_after = 700ms;
    kafka::waiting_producer producer{
        {kafka.brokers(), "waiting", {{"log_level", "0"}, {"reconnect.backoff.max.ms", "300"}}}, options};
    std::vector<kafka::header> const headers{{"ce_id", "msg_w"}};
    CHECK(producer.publish_and_wait({events, std::nullopt, "value", headers}, 10s) == kafka::published::persisted);
    CHECK(kafka.records_with_id(events, "msg_w").size() == 1);
    CHECK_FALSE(kafka.records_with_id(events, "msg_w")[0].key.has_value());
    kafka.go_down();
    auto const started = std::chrono::steady_clock::now();
    auto const outcome = producer.publish_and_wait({events, "user_1", "value"}, 1s);
    CHECK((outcome == kafka::published::unknown || outcome == kafka::published::not_persisted));
    CHECK(seconds_since(started) < 2s);
    kafka.come_back();
    CHECK(eventually(20s, [&] {
        return producer.publish_and_wait({events, "user_1", "value"}, 1s) == kafka::published::persisted;
    }));
}

TEST_CASE("stop: accepts requests for 3 s, closes connections after responses, ends within 9 s [I1]")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers()};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    raw_client waiting{ingest.port()};
    auto const body = user_event("user.created", "user_2");
    auto const whole = request_text("POST", "/webhooks/clerk", signed_headers("msg_half", body), body);
    waiting.send(whole.substr(0, whole.size() - 10));

    auto const started = std::chrono::steady_clock::now();
    ingest.ask_to_stop();
    CHECK(eventually(2s, [&] { return ingest.admin("/readyz").status == 503; }));
    CHECK(ingest.admin("/livez").status == 200);
    auto const taken = ingest.deliver("msg_late", user_event("user.created", "user_3"));
    CHECK(taken.status == 200);
    CHECK(taken.headers.at("connection") == "close");
    waiting.send(whole.substr(whole.size() - 10));
    auto const finished = waiting.read_answer(5s);
    REQUIRE(finished);
    CHECK(finished->status == 200);
    CHECK(ingest.stopped_within(9s));
    CHECK(seconds_since(started) >= 2900ms);
    CHECK(kafka.records_with_id(events, "msg_half").size() == 1);
    CHECK(kafka.records_with_id(events, "msg_late").size() == 1);
    CHECK_THROWS(raw_client{ingest.port()});
}

TEST_CASE("stop: with brokers down webhooks get 503 within 4 s, and it ends within 9 s")
{
    mock_kafka kafka;
    running_ingest ingest{kafka.brokers(), timeout_of(8000ms)};
    CHECK(ingest.deliver("msg_before", user_event("user.created", "user_1")).status == 200);
    kafka.go_down();
    raw_client waiting{ingest.port()};
    auto const body = user_event("user.created", "user_2");
    waiting.send(request_text("POST", "/webhooks/clerk", signed_headers("msg_stuck", body), body));
    raw_client dribbling{ingest.port()};
    dribbling.send("POST /webhooks/clerk HTTP/1.1\r\nHost");
    let_time_pass();
    auto const started = std::chrono::steady_clock::now();
    ingest.ask_to_stop();
    auto const answer = waiting.read_answer(6s);
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK(seconds_since(started) < 5s);
    CHECK(dribbling.read_answer(6s).has_value()); // 408, not silence
    CHECK(ingest.stopped_within(9s - seconds_since(started) > 0s
            ? std::chrono::duration_cast<std::chrono::milliseconds>(9s - seconds_since(started))
            : 0ms));
}

}
