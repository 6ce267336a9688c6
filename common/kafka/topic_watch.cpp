#include "common/kafka/topic_watch.hpp"

#include <algorithm>

namespace clerk_strapi::kafka
{
namespace
{

using namespace std::chrono_literals;

// Without a connected broker a query fails after its whole time, and a stop waits for it, so that time is short. It
// grows when a connected broker needs longer.
constexpr std::chrono::milliseconds query_time_min = 500ms;
constexpr std::chrono::milliseconds query_time_max = 5s;
constexpr std::chrono::milliseconds retry_first = 100ms;

// The other clients of the program log the same errors of the same brokers.
client_settings without_log(client_settings client)
{
    client.extra.insert_or_assign("log_level", std::string{"0"});
    client.extra.erase("debug");
    client.statistics = {};
    return client;
}

}

topic_watch::topic_watch(topic_watch_settings settings, listener on_findings)
    : settings_{std::move(settings)}
    , listener_{std::move(on_findings)}
    , prober_{std::make_unique<topic_prober>(without_log(settings_.client))}
    , thread_{[this] { run(); }}
{
}

topic_watch::~topic_watch()
{
    begin_stop();
    thread_.join();
}

void topic_watch::begin_stop()
{
    std::lock_guard const lock{mutex_};
    stopping_ = true;
    changed_.notify_all();
}

void topic_watch::run()
{
    auto query_time = query_time_min;
    auto retry = retry_first;
    auto pause = retry_first;
    do {
        auto const found = prober_->query(settings_.topics, query_time);
        query_time = found.timed_out ? std::min(2 * query_time, query_time_max) : query_time_min;
        listener_(found);
        if (found.all_topics_exist()) {
            if (!settings_.again_after) break;
            pause = *settings_.again_after;
            retry = retry_first;
        } else {
            pause = retry;
            retry = std::min(2 * retry, settings_.retry_longest);
        }
    } while (wait(pause));
    prober_.reset(); // on this thread, because closing may wait for a name look-up
}

bool topic_watch::wait(std::chrono::milliseconds time)
{
    std::unique_lock lock{mutex_};
    return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

}
