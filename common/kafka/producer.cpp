#include "common/kafka/producer.hpp"

#include "common/log/logging.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace clerk_strapi::kafka
{
namespace
{

using namespace std::chrono_literals;
constexpr auto poll_time = 100ms; // a stop is noticed after this time
// Reports come in small batches, one per partition. Under load, this pause after a batch makes the next one larger, so
// that fewer threads are woken. A single report is not delayed, because the pause comes after it.
constexpr auto pause_between_batches = 200us;
constexpr auto recreate_interval = 1s;

delivery outcome_of(rd_kafka_message_t const& message)
{
    switch (rd_kafka_message_status(&message)) {
    case RD_KAFKA_MSG_STATUS_PERSISTED:
        // Without an offset, librdkafka only concludes that the record is stored, because a later record was
        // acknowledged. That is wrong when the broker did not know a sequence of this producer yet.
        return message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0 ? delivery::persisted
                                                                                : delivery::possibly_persisted;
    case RD_KAFKA_MSG_STATUS_NOT_PERSISTED:
        return message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? delivery::too_large : delivery::not_persisted;
    case RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED: return delivery::possibly_persisted;
    }
    return delivery::possibly_persisted;
}

// Null when there are none. The caller owns the list until producev() succeeds.
rd_kafka_headers_t* make_headers(std::span<header const> headers)
{
    if (headers.empty()) return nullptr;
    auto* const list = rd_kafka_headers_new(headers.size());
    for (auto const& [name, value] : headers) {
        rd_kafka_header_add(
            list, name.data(), static_cast<ssize_t>(name.size()), value.data(), static_cast<ssize_t>(value.size()));
    }
    return list;
}

}

// One rd_kafka_t and the topics looked up on it.
struct producer::instance
{
    rd_kafka_t* handle{nullptr};
    std::map<std::string, rd_kafka_topic_t*, std::less<>> topics;

    rd_kafka_topic_t* topic(std::string_view name)
    {
        if (auto const found = topics.find(name); found != topics.end()) return found->second;
        std::string const text{name};
        auto* const made = rd_kafka_topic_new(handle, text.c_str(), nullptr);
        if (made != nullptr) topics.emplace(text, made);
        return made;
    }

    ~instance()
    {
        rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        // librdkafka's other threads report the purged records; they have a second for it.
        auto const deadline = std::chrono::steady_clock::now() + 1s;
        do {
            rd_kafka_poll(handle, 10);
        } while (rd_kafka_outq_len(handle) > 0 && std::chrono::steady_clock::now() < deadline);
        for (auto const& [name, made] : topics)
            rd_kafka_topic_destroy(made);
        rd_kafka_destroy(handle);
    }
};

struct producer::callbacks
{
    static void on_report(rd_kafka_t*, rd_kafka_message_t const* message, void* self)
    {
        static_cast<producer*>(self)->collect(*message);
    }

    static void on_error(rd_kafka_t* handle, int code, char const* text, void* self)
    {
        auto& owner = *static_cast<producer*>(self);
        if (code == RD_KAFKA_RESP_ERR__FATAL) {
            std::array<char, 512> why{};
            rd_kafka_fatal_error(handle, why.data(), why.size());
            log::error("the Kafka producer had a fatal error and is created again", {{"detail", why.data()}});
            owner.fatal_ = true;
            return;
        }
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) owner.brokers_up_ = false;
        owner.errors_.report(code, text);
    }

    static int on_statistics(rd_kafka_t*, char* json, std::size_t bytes, void* self)
    {
        auto& owner = *static_cast<producer*>(self);
        owner.brokers_up_ = any_broker_up({json, bytes});
        if (owner.brokers_up_) owner.errors_.clear();
        if (owner.settings_.statistics) owner.settings_.statistics({json, bytes});
        return 0;
    }
};

producer::producer(client_settings settings, producer_options options, report_sink sink)
    : settings_{std::move(settings)}
    , options_{std::move(options)}
    , errors_{settings_}
    , sink_{std::move(sink)}
    , instance_{make_instance()}
    , thread_{[this] { serve(); }}
{
}

producer::~producer()
{
    stopping_ = true;
    thread_.join();
    instance_.reset();
    deliver_reports();
}

std::unique_ptr<producer::instance> producer::make_instance()
{
    client_config config{settings_};
    config.set("linger.ms", "0.5"); // more reduces the throughput of few senders; none wakes a thread per record
    config.set("queue.buffering.max.kbytes", std::to_string(options_.queue_bytes_max / 1024));
    config.set("message.timeout.ms", std::to_string(options_.give_up_after.count()));
    config.set("statistics.interval.ms", "2000");
    config.set(
        "allow.auto.create.topics", "false"); // it would have the brokers' defaults: one partition, one replica, a week
    config.set("partitioner", "murmur2_random"); // the same partitions as Java's clients
    config.apply_extra();
    config.set("enable.idempotence", "true");
    config.set("acks", "all");

    auto* const conf = config.get();
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_dr_msg_cb(conf, callbacks::on_report);
    rd_kafka_conf_set_error_cb(conf, callbacks::on_error);
    rd_kafka_conf_set_stats_cb(conf, callbacks::on_statistics);

    std::array<char, 512> why{};
    auto made = std::make_unique<instance>();
    made->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (made->handle == nullptr) {
        static_cast<void>(made.release()); // leaks 64 bytes once; its destructor needs a handle
        throw std::runtime_error{"cannot create a Kafka producer: " + std::string{why.data()}};
    }
    static_cast<void>(config.release());
    for (auto const& name : options_.topics)
        made->topic(name);
    return made;
}

enqueued producer::publish(outgoing_record const& record, std::uint64_t tag)
{
    std::lock_guard const lock{instance_mutex_};
    if (!instance_ || fatal_) return enqueued::failed;
    auto* const topic = instance_->topic(record.topic);
    if (topic == nullptr) return enqueued::failed;

    auto* const headers = make_headers(record.headers);
    auto const key = record.key.value_or(std::string_view{nullptr, 0}); // a null pointer is no key
    // librdkafka copies the value, although its pointer is not const. It returns the opaque pointer unchanged, so it
    // can hold our number. NOLINTBEGIN(performance-no-int-to-ptr)
    auto const fault = rd_kafka_producev(instance_->handle, RD_KAFKA_V_RKT(topic),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()), RD_KAFKA_V_HEADERS(headers),
        RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(tag)), RD_KAFKA_V_END);
    // NOLINTEND(performance-no-int-to-ptr)
    if (fault == RD_KAFKA_RESP_ERR_NO_ERROR) return enqueued::queued;
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    if (fault == RD_KAFKA_RESP_ERR__QUEUE_FULL) return enqueued::queue_full;
    if (fault == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return enqueued::too_large;
    return enqueued::failed;
}

bool producer::flush(std::chrono::milliseconds time)
{
    auto const deadline = std::chrono::steady_clock::now() + time;
    auto const waiting = [this] {
        std::lock_guard const lock{instance_mutex_};
        return instance_ ? rd_kafka_outq_len(instance_->handle) : 0;
    };
    while (waiting() > 0 && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(2ms);
    return waiting() == 0;
}

void producer::serve()
{
    while (!stopping_) {
        rd_kafka_poll(instance_->handle, static_cast<int>(poll_time.count()));
        if (!collected_.empty()) {
            deliver_reports();
            std::this_thread::sleep_for(pause_between_batches);
        }
        if (fatal_ && !recreate()) return;
    }
}

void producer::collect(rd_kafka_message_s const& message)
{
    auto const outcome = outcome_of(message);
    if (outcome == delivery::persisted)
        brokers_up_ = true;
    else
        log::debug("Kafka did not acknowledge a record", {{"error", rd_kafka_err2name(message.err)}});
    collected_.push_back({reinterpret_cast<std::uint64_t>(message._private), outcome});
}

void producer::deliver_reports()
{
    if (collected_.empty()) return;
    sink_(std::exchange(collected_, {}));
}

// The old instance first reports the records that it held. Meanwhile publish() returns failed, and the sender retries.
bool producer::recreate()
{
    std::unique_ptr<instance> broken;
    {
        std::lock_guard const lock{instance_mutex_};
        broken = std::move(instance_);
    }
    broken.reset();
    deliver_reports();
    while (!stopping_) {
        try {
            auto next = make_instance();
            std::lock_guard const lock{instance_mutex_};
            instance_ = std::move(next);
            fatal_ = false;
            return true;
        } catch (std::exception const& fault) {
            log::error("cannot create the Kafka producer again; retrying", {{"detail", fault.what()}});
            std::this_thread::sleep_for(recreate_interval);
        }
    }
    return false;
}

}
