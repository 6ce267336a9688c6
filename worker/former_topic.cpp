#include "worker/former_topic.hpp"

#include "common/log/logging.hpp"

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_interval = 30s;

}

former_topic::former_topic(worker_config const& config, maker make)
    : topic_{config.topics.former_provisioning()}
    , make_{std::move(make)}
{
    if (topic_.empty()) return;
    auto client = config.kafka;
    client.client_id += "-former-topic";
    watch_.emplace(kafka::topic_watch_settings{std::move(client), {topic_}, look_interval, look_interval},
        [this](kafka::findings const& found) {
            if (found.answered()) exists_ = found.all_topics_exist();
        });
}

void former_topic::update()
{
    std::unique_ptr<pipeline> ended; // declared first: it joins its thread after the lock is released
    std::lock_guard const lock{mutex_};
    if (exists_ && !pipeline_) {
        log::info("the former topic still exists; its records are applied too", {{"topic", topic_}});
        pipeline_ = make_(topic_);
        pipeline_->start();
    } else if (!exists_ && pipeline_) {
        log::info("the former topic was deleted", {{"topic", topic_}});
        ended = std::move(pipeline_);
    }
}

void former_topic::stop()
{
    if (watch_) watch_->begin_stop();
    std::lock_guard const lock{mutex_};
    if (pipeline_) pipeline_->stop();
}

bool former_topic::caught_up() const
{
    std::lock_guard const lock{mutex_};
    return !pipeline_ || pipeline_->caught_up();
}

std::optional<pipeline_health> former_topic::health() const
{
    std::lock_guard const lock{mutex_};
    if (!pipeline_) return std::nullopt;
    return pipeline_->health();
}

std::optional<std::string> former_topic::failed_for_good() const
{
    std::lock_guard const lock{mutex_};
    return pipeline_ ? pipeline_->failed_for_good() : std::nullopt;
}

}
