#include "worker/edges/kafka_snapshots.hpp"

#include <numeric>
#include <utility>

namespace clerk_strapi::worker
{
namespace
{

using namespace std::chrono_literals;
constexpr auto look_interval = 100ms; // how long a stop may go unnoticed

}

kafka_snapshots::kafka_snapshots(kafka::client_settings settings, std::string topic, std::function<bool()> should_stop)
    : topic_{std::move(topic)}
    , should_stop_{std::move(should_stop)}
    , producer_{std::move(settings), {.topics = {topic_}},
          [this](std::vector<kafka::report> const& reports) { take(reports); }}
{
}

publish_result kafka_snapshots::publish(
    std::size_t count, std::function<user_record(std::size_t)> const& make, std::chrono::milliseconds patience)
{
    auto const until = clock::now() + patience;
    publish_result result;
    std::vector<std::size_t> pending(count);
    std::iota(pending.begin(), pending.end(), std::size_t{0});
    while (!pending.empty()) {
        send(pending, make, until, result);
        pending = not_persisted();
        if (pending.empty()) break;
        if (should_stop_()) return {publish_status::interrupted, {}};
        if (clock::now() >= until) return {publish_status::unavailable, {}};
    }
    return result;
}

void kafka_snapshots::send(std::vector<std::size_t> const& indexes, std::function<user_record(std::size_t)> const& make,
    clock::time_point until, publish_result& result)
{
    index_of_.clear();
    {
        std::lock_guard const lock{mutex_};
        awaited_.clear(); // a report of an earlier round finds nothing
        open_ = 0;
    }
    for (auto const index : indexes) {
        auto const tag = next_tag_++;
        switch (enqueue(make(index), tag, until)) {
        case taken::queued:
        case taken::refused: index_of_.emplace(tag, index); break;
        case taken::too_large: result.too_large.push_back(index); break;
        }
    }
    std::unique_lock lock{mutex_};
    while (open_ > 0 && clock::now() < until && !should_stop_())
        reported_.wait_for(lock, look_interval);
    // One that was refused has no report to wait for: the next round is not at once.
    if (awaited_.size() < index_of_.size()) reported_.wait_for(lock, look_interval);
}

kafka_snapshots::taken kafka_snapshots::enqueue(user_record const& record, std::uint64_t tag, clock::time_point until)
{
    std::vector<kafka::header> headers;
    headers.reserve(record.headers.size());
    for (auto const& [name, value] : record.headers)
        headers.push_back({name, value});
    std::unique_lock lock{mutex_};
    awaited_.emplace(tag, false); // before publish(): the report may come first
    ++open_;
    for (;;) {
        lock.unlock();
        auto const outcome = producer_.publish({topic_, record.key, record.value, headers}, tag);
        lock.lock();
        if (outcome == kafka::enqueued::queued) return taken::queued;
        // The queue's bound is what keeps memory flat: wait for reports.
        if (outcome == kafka::enqueued::queue_full && clock::now() < until && !should_stop_()) {
            reported_.wait_for(lock, look_interval);
            continue;
        }
        awaited_.erase(tag);
        --open_;
        return outcome == kafka::enqueued::too_large ? taken::too_large : taken::refused;
    }
}

std::vector<std::size_t> kafka_snapshots::not_persisted()
{
    std::lock_guard const lock{mutex_};
    std::vector<std::size_t> pending;
    for (auto const& [tag, index] : index_of_) {
        auto const found = awaited_.find(tag);
        if (found == awaited_.end() || !found->second) pending.push_back(index);
    }
    return pending;
}

void kafka_snapshots::take(std::vector<kafka::report> const& reports)
{
    std::lock_guard const lock{mutex_};
    for (auto const& each : reports) {
        auto const found = awaited_.find(each.tag);
        if (found == awaited_.end()) continue;
        found->second = each.outcome == kafka::delivery::persisted;
        --open_;
    }
    reported_.notify_all();
}

}
