#include "common/kafka/waiting_producer.hpp"

namespace clerk_strapi::kafka
{

waiting_producer::waiting_producer(client_settings settings, producer_options options)
    : producer_{std::move(settings), std::move(options), [this](std::vector<report> const& reports) { take(reports); }}
{
}

published waiting_producer::publish_and_wait(outgoing_record const& record, std::chrono::milliseconds time)
{
    std::unique_lock lock{mutex_};
    auto const tag = next_tag_++;
    awaited_.emplace(tag, std::nullopt); // first, because the report may come before publish() returns
    auto const taken = producer_.publish(record, tag);
    if (taken != enqueued::queued) {
        awaited_.erase(tag);
        return taken == enqueued::too_large ? published::too_large : published::not_persisted;
    }
    reported_.wait_for(lock, time, [&] { return awaited_.at(tag).has_value(); });
    auto const outcome = awaited_.at(tag);
    awaited_.erase(tag);
    if (!outcome) return published::unknown;
    switch (*outcome) {
    case delivery::persisted: return published::persisted;
    case delivery::not_persisted: return published::not_persisted;
    case delivery::too_large: return published::too_large;
    case delivery::possibly_persisted: return published::unknown;
    }
    return published::unknown;
}

void waiting_producer::take(std::vector<report> const& reports)
{
    std::lock_guard const lock{mutex_};
    for (auto const& each : reports) {
        if (auto const found = awaited_.find(each.tag); found != awaited_.end()) found->second = each.outcome;
    }
    reported_.notify_all();
}

}
