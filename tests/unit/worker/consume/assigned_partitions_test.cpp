// kafka_event_source in a cooperative group (KAFKA_PARTITION_ASSIGNMENT_STRATEGY=cooperative-sticky), against
// librdkafka's mock cluster.

#include "tests/support/source_stage.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

using namespace clerk_strapi;
using namespace clerk_strapi::worker;
using namespace clerk_strapi::tests;
using namespace std::chrono_literals;

namespace
{

constexpr int users = 40; // enough for records in each of the four partitions

source_settings cooperative(mock_kafka const& kafka, std::size_t batch_records = 500)
{
    auto settings = settings_of(kafka, batch_records);
    settings.assignment_strategy = "cooperative-sticky";
    settings.client.extra["session.timeout.ms"] = "6000"; // the mock cluster gives each rebalance one second less
    return settings;
}

// The stored positions, and the offsets that were applied, in order.
class database
{
public:
    [[nodiscard]] position_lookup lookup()
    {
        return [this](std::string const& cluster) -> std::optional<std::vector<partition_position>> {
            if (!available) return std::nullopt;
            std::lock_guard const lock{mutex_};
            std::vector<partition_position> known;
            for (auto const& [partition, next] : next_)
                known.push_back({cluster, topic, partition, next});
            return known;
        };
    }

    std::vector<partition_position> apply(std::vector<event_record> const& records)
    {
        std::lock_guard const lock{mutex_};
        std::map<std::int32_t, partition_position> last;
        for (auto const& record : records) {
            applied_.emplace_back(record.partition, record.offset);
            next_[record.partition] = record.offset + 1;
            last[record.partition] = {std::string{record.cluster}, topic, record.partition, record.offset + 1};
        }
        std::vector<partition_position> positions;
        for (auto const& [partition, position] : last)
            positions.push_back(position);
        return positions;
    }

    [[nodiscard]] std::size_t applied() const
    {
        std::lock_guard const lock{mutex_};
        return applied_.size();
    }

    // No record was skipped, and none was applied twice.
    [[nodiscard]] bool each_once_in_order() const
    {
        std::lock_guard const lock{mutex_};
        std::map<std::int32_t, std::int64_t> next;
        return std::all_of(
            applied_.begin(), applied_.end(), [&](auto const& one) { return one.second == next[one.first]++; });
    }

    void set_position(std::int32_t partition, std::int64_t next)
    {
        std::lock_guard const lock{mutex_};
        next_[partition] = next;
    }

    std::atomic<bool> available{true};

private:
    mutable std::mutex mutex_;
    std::map<std::int32_t, std::int64_t> next_;
    std::vector<std::pair<std::int32_t, std::int64_t>> applied_;
};

// A worker of the group on its own thread: polls, applies, reports finished positions.
class member
{
public:
    member(mock_kafka const& kafka, database& rows)
        : rows_{rows}
        , source_{cooperative(kafka, 20), rows.lookup()}
        , thread_{[this] { run(); }}
    {
    }
    ~member()
    {
        stopping_ = true;
        thread_.join();
    }
    member(member const&) = delete;
    member& operator=(member const&) = delete;

    [[nodiscard]] std::set<std::int32_t> partitions() const
    {
        std::set<std::int32_t> held;
        for (auto const& lag : source_.lag())
            held.insert(lag.partition);
        return held;
    }
    [[nodiscard]] std::size_t applied() const { return applied_; }
    [[nodiscard]] bool has_positions() const { return source_.positioned(); }

private:
    void run()
    {
        while (!stopping_) {
            auto const records = source_.poll(50ms);
            source_.finished(rows_.apply(records));
            applied_ += records.size();
        }
    }

    database& rows_;
    kafka_event_source source_;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> applied_{0};
    std::thread thread_;
};

// One record per user.
void publish_round(publisher& publish, int round)
{
    for (auto i = 0; i < users; ++i)
        publish.publish("user_" + std::to_string(i), round * users + i, 1);
}

// The mock cluster refuses a commit that arrives during a rebalance, and the member then loses all its partitions. A
// test of partitions that stay waits until no commit is left to send.
bool everything_is_committed(mock_kafka const& kafka, int records)
{
    return becomes_true([&] { return kafka.committed("group", topic) == records; });
}

// How many of the users' records go to these partitions, by the topic's first round.
std::size_t share_of(mock_kafka const& kafka, std::set<std::int32_t> const& partitions)
{
    std::size_t share = 0;
    kafka_event_source source{settings_of(kafka, 500, "counting"), nothing_known()};
    auto const records = read(source, users);
    std::set<std::string> seen;
    for (auto const& record : records) {
        auto const is_first = seen.insert(std::string{record.key.value_or("")}).second;
        if (is_first && partitions.count(record.partition) > 0) ++share;
    }
    return share;
}

}

TEST_CASE("cooperative: kept partitions are read while new ones wait for their positions [I7]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    database rows;
    publish_round(publish, 0);
    member first{kafka, rows};
    REQUIRE(becomes_true([&] { return rows.applied() == users; }));
    REQUIRE(everything_is_committed(kafka, users));

    // The second worker is assigned two partitions, which cannot be read now; the first keeps two.
    rows.available = false;
    std::optional<member> second;
    second.emplace(kafka, rows);
    REQUIRE(becomes_true([&] { return first.partitions().size() == 2 && second->partitions().size() == 2; }));
    auto const kept = share_of(kafka, first.partitions());
    REQUIRE(kept > 0);
    REQUIRE(kept < users);
    publish_round(publish, 1);
    CHECK(becomes_true([&] { return first.applied() == users + kept; }));
    CHECK(second->applied() == 0);
    CHECK_FALSE(second->has_positions());
    rows.available = true;
    CHECK(becomes_true([&] { return rows.applied() == 2 * users; }));
    REQUIRE(everything_is_committed(kafka, 2 * users));

    // The second worker leaves; its partitions wait for their positions, those of the first do not.
    rows.available = false;
    second.reset();
    REQUIRE(becomes_true([&] { return first.partitions().size() == 4; }));
    publish_round(publish, 2);
    CHECK(becomes_true([&] { return first.applied() == users + 2 * kept; }));
    rows.available = true;
    CHECK(becomes_true([&] { return rows.applied() == 3 * users; }));
    CHECK(rows.each_once_in_order());
}

TEST_CASE("cooperative: applies each record once, in order, while workers join and leave [I2 I7]")
{
    mock_kafka kafka;
    database rows;
    std::atomic<bool> loading{true};
    std::atomic<std::size_t> published{0};
    std::thread load{[&] {
        publisher publish{kafka};
        for (auto i = 0; loading; ++i) {
            publish.publish("user_" + std::to_string(i % users), i, 1);
            ++published;
        }
    }};
    auto const progresses = [&](member const& one) {
        auto const before = one.applied();
        return becomes_true([&] { return one.applied() > before + users; });
    };
    std::optional<member> first;
    first.emplace(kafka, rows);
    CHECK(progresses(*first));
    member second{kafka, rows};
    CHECK(becomes_true([&] { return second.partitions().size() == 2; }));
    CHECK(progresses(second));
    CHECK(progresses(*first));
    first.reset();
    CHECK(becomes_true([&] { return second.partitions().size() == 4; }));
    CHECK(progresses(second));
    loading = false;
    load.join();
    CHECK(becomes_true([&] { return rows.applied() == published; }));
    CHECK(rows.each_once_in_order());
}

TEST_CASE("cooperative: a batch without records of revoked partitions stays valid [I2]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    database rows;
    publish_round(publish, 0);
    kafka_event_source first{cooperative(kafka), rows.lookup()};
    first.finished(rows.apply(read(first, users)));
    REQUIRE(rows.applied() == users);
    member second{kafka, rows};
    CHECK(becomes_true([&] {
        CHECK_FALSE(first.hold(50ms));
        return second.partitions().size() == 2;
    }));
    publish_round(publish, 1);
    CHECK(becomes_true([&] {
        first.finished(rows.apply(first.poll(50ms)));
        return rows.applied() == 2 * users;
    }));
    CHECK(rows.each_once_in_order());
}

TEST_CASE("cooperative: a batch with records of revoked partitions is void and read again [I2 I7]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    database rows;
    publish_round(publish, 0);
    kafka_event_source first{cooperative(kafka), rows.lookup()};
    REQUIRE(read(first, users).size() == users); // neither applied nor finished
    member second{kafka, rows};
    CHECK(becomes_true([&] { return first.hold(50ms); }));
    CHECK(becomes_true([&] {
        first.finished(rows.apply(first.poll(50ms)));
        return rows.applied() == users;
    }));
    CHECK(second.applied() > 0);
    CHECK(second.applied() < users);
    CHECK(rows.each_once_in_order());
}

TEST_CASE("cooperative: rewinds each partition when stored positions are older [I2 I7]")
{
    mock_kafka kafka;
    publisher publish{kafka};
    database rows;
    publish.publish("user_1", 0, 10);
    kafka_event_source source{cooperative(kafka), rows.lookup()};
    auto const records = read(source, 10);
    REQUIRE(records.size() == 10);
    source.finished(rows.apply(records));
    CHECK_FALSE(source.rewind_if_positions_lost());
    rows.set_position(records[0].partition, 6);
    CHECK(source.rewind_if_positions_lost());
    CHECK(values_of(read(source, 4)) == numbers(6, 4));
}
