#include "worker/operate/snapshot_topic.hpp"

#include <numeric>
#include <utility>

namespace clerk_strapi::worker
{
namespace
{

using namespace std::chrono_literals;
constexpr auto look_interval = 100ms; // how late a stop may be noticed

}

// The records of the last round that are not persisted.
struct snapshot_topic::round
{
    std::vector<std::size_t> to_send_again;
    std::vector<std::size_t> too_large;
};

snapshot_topic::snapshot_topic(kafka::client_settings settings, std::string topic, std::function<bool()> should_stop)
    : topic_{std::move(topic)}
    , should_stop_{std::move(should_stop)}
    , producer_{std::move(settings), {.topics = {topic_}},
          [this](std::vector<kafka::report> const& reports) { take(reports); }}
{
}

publish_result snapshot_topic::publish(
    std::size_t count, std::function<user_record(std::size_t)> const& make, std::chrono::milliseconds patience)
{
    auto const until = clock::now() + patience;
    publish_result result;
    std::vector<std::size_t> pending(count);
    std::iota(pending.begin(), pending.end(), std::size_t{0});
    while (!pending.empty()) {
        send(pending, make, until, result);
        auto sent = sort();
        pending = std::move(sent.to_send_again);
        // A topic's limit applies to a whole batch, and all its records fail: send each of them alone.
        for (auto const index : sent.too_large) {
            send({index}, make, until, result);
            auto const alone = sort();
            result.too_large.insert(result.too_large.end(), alone.too_large.begin(), alone.too_large.end());
            pending.insert(pending.end(), alone.to_send_again.begin(), alone.to_send_again.end());
        }
        if (pending.empty()) break;
        if (should_stop_()) return {publish_status::interrupted, {}};
        if (clock::now() >= until) return {publish_status::unavailable, {}};
    }
    return result;
}

void snapshot_topic::send(std::vector<std::size_t> const& indexes, std::function<user_record(std::size_t)> const& make,
    clock::time_point until, publish_result& result)
{
    index_of_.clear();
    {
        std::lock_guard const lock{mutex_};
        awaited_.clear(); // a late report of an earlier round is ignored
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
    // A record that the producer did not accept gets no report: wait before the next round.
    if (awaited_.size() < index_of_.size()) reported_.wait_for(lock, look_interval);
}

snapshot_topic::taken snapshot_topic::enqueue(user_record const& record, std::uint64_t tag, clock::time_point until)
{
    std::vector<kafka::header> headers;
    headers.reserve(record.headers.size());
    for (auto const& [name, value] : record.headers)
        headers.push_back({name, value});
    std::unique_lock lock{mutex_};
    awaited_.emplace(tag, std::nullopt); // before publish(), because the report may come first
    ++open_;
    for (;;) {
        lock.unlock();
        auto const outcome = producer_.publish({topic_, record.key, record.value, headers}, tag);
        lock.lock();
        if (outcome == kafka::enqueued::queued) return taken::queued;
        // The queue's bound keeps memory flat: wait for reports.
        if (outcome == kafka::enqueued::queue_full && clock::now() < until && !should_stop_()) {
            reported_.wait_for(lock, look_interval);
            continue;
        }
        awaited_.erase(tag);
        --open_;
        return outcome == kafka::enqueued::too_large ? taken::too_large : taken::refused;
    }
}

snapshot_topic::round snapshot_topic::sort()
{
    std::lock_guard const lock{mutex_};
    round sorted;
    for (auto const& [tag, index] : index_of_) {
        auto const found = awaited_.find(tag);
        auto const outcome = found == awaited_.end() ? std::nullopt : found->second;
        if (outcome == kafka::delivery::persisted) continue;
        auto& where = outcome == kafka::delivery::too_large ? sorted.too_large : sorted.to_send_again;
        where.push_back(index);
    }
    return sorted;
}

void snapshot_topic::take(std::vector<kafka::report> const& reports)
{
    std::lock_guard const lock{mutex_};
    for (auto const& each : reports) {
        auto const found = awaited_.find(each.tag);
        if (found == awaited_.end()) continue;
        found->second = each.outcome;
        --open_;
    }
    reported_.notify_all();
}

}
