#include "ingest/publish/kafka_publisher.hpp"

#include "common/process/fail_point.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace clerk_strapi::ingest
{
namespace
{

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

// librdkafka gives a record up a little before we do, so that "surely not in the log" has a chance to be told.
constexpr std::chrono::milliseconds give_up_earlier{300};

kafka::producer_options options_for(publisher_settings const& settings)
{
    kafka::producer_options options;
    options.give_up_after = std::max(settings.timeout - give_up_earlier, settings.timeout / 2);
    options.queue_bytes_max = settings.queue_bytes_max;
    for (auto const& topic : {settings.user_events_topic, settings.provisioning_topic, settings.dead_letters_topic}) {
        if (!topic.empty()) options.topics.push_back(topic);
    }
    return options;
}

publish_outcome outcome_of(kafka::delivery delivery)
{
    switch (delivery) {
    case kafka::delivery::persisted: return publish_outcome::persisted;
    case kafka::delivery::not_persisted: return publish_outcome::refused;
    case kafka::delivery::too_large: return publish_outcome::too_large;
    case kafka::delivery::possibly_persisted: return publish_outcome::possibly_persisted;
    }
    return publish_outcome::possibly_persisted;
}

template <class Handler>
class waiter_of final : public publication_waiter
{
public:
    explicit waiter_of(Handler handler)
        : handler_{std::move(handler)}
    {
    }
    void complete(publish_outcome outcome) override { std::move(handler_)(outcome); }

private:
    Handler handler_;
};

}

kafka_publisher::kafka_publisher(asio::io_context& io, publisher_settings settings)
    : io_{io}
    , settings_{std::move(settings)}
    , timer_{io}
    , producer_{settings_.client, options_for(settings_), [this](std::vector<kafka::report> reports) {
                    asio::post(io_, [this, reports = std::move(reports)] { take_reports(reports); });
                }}
{
}

kafka_publisher::~kafka_publisher() = default;

asio::awaitable<publish_outcome> kafka_publisher::publish(event_record const& record)
{
    if (queue_.size() >= settings_.waiting_max) co_return publish_outcome::queue_full;

    auto const deadline = clock::now() + settings_.timeout;
    auto const tag = queue_.add(latest_ ? std::min(deadline, *latest_) : deadline);
    std::array<kafka::header, 16> headers;
    auto const given = record.headers();
    std::transform(given.begin(), given.end(), headers.begin(), [](auto const& each) {
        return kafka::header{each.name, each.value};
    });
    kafka::outgoing_record const outgoing{
        topic_of(record.topic()), record.key(), record.value(), std::span{headers}.first(given.size())};

    switch (producer_.publish(outgoing, tag)) {
    case kafka::enqueued::queued: break;
    case kafka::enqueued::queue_full: static_cast<void>(queue_.take(tag)); co_return publish_outcome::queue_full;
    case kafka::enqueued::too_large: static_cast<void>(queue_.take(tag)); co_return publish_outcome::too_large;
    case kafka::enqueued::failed: static_cast<void>(queue_.take(tag)); co_return publish_outcome::refused;
    }
    fail_point(fail_at::ingest_after_produce);
    arm_timer();
    // The report cannot have come yet: it is posted to this very thread.
    auto const wait = [this, tag](auto handler) {
        queue_.wait(tag, std::make_unique<waiter_of<decltype(handler)>>(std::move(handler)));
    };
    co_return co_await asio::async_initiate<asio::use_awaitable_t<> const, void(publish_outcome)>(
        wait, asio::use_awaitable);
}

std::string const& kafka_publisher::topic_of(topic_role role) const
{
    switch (role) {
    case topic_role::user_events: return settings_.user_events_topic;
    case topic_role::provisioning: return settings_.provisioning_topic;
    case topic_role::dead_letters: return settings_.dead_letters_topic;
    }
    return settings_.dead_letters_topic;
}

void kafka_publisher::take_reports(std::vector<kafka::report> const& reports)
{
    for (auto const& [tag, outcome] : reports) {
        if (auto const waiter = queue_.take(tag)) waiter->complete(outcome_of(outcome));
    }
}

void kafka_publisher::arm_timer()
{
    auto const next = queue_.next_deadline();
    if (armed_ || !next) return;
    armed_ = true;
    timer_.expires_at(*next);
    timer_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled == asio::error::operation_aborted) return;
        armed_ = false;
        expire();
    });
}

void kafka_publisher::expire()
{
    while (auto const waiter = queue_.take_expired(clock::now()))
        waiter->complete(publish_outcome::timed_out);
    arm_timer();
}

void kafka_publisher::cut_deadlines(clock::time_point latest)
{
    latest_ = latest;
    queue_.cut(latest);
    timer_.cancel();
    armed_ = false;
    arm_timer();
}

}
