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
constexpr auto poll_time = 100ms; // how long a stop may go unnoticed
// Reports come in small handfuls, one a partition; under load this lets a few gather, so that fewer threads are woken.
// A lone report is not held back: the breath comes after it.
constexpr auto breath = 200us;
constexpr auto rebuild_interval = 1s;

delivery outcome_of(rd_kafka_message_t const& message)
{
    switch (rd_kafka_message_status(&message)) {
    case RD_KAFKA_MSG_STATUS_PERSISTED:
        // Without an offset no broker has told where it stands: librdkafka takes it as delivered because a later
        // record was acknowledged, and is wrong when the broker knew no sequence of this producer yet.
        return message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= 0 ? delivery::persisted
                                                                                : delivery::possibly_persisted;
    case RD_KAFKA_MSG_STATUS_NOT_PERSISTED:
        return message.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? delivery::too_large : delivery::not_persisted;
    case RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED: return delivery::possibly_persisted;
    }
    return delivery::possibly_persisted;
}

// Null when there are none. The list is ours until producev() succeeds.
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
        // Reports of purged records come from librdkafka's other threads; it has a second to bring them.
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
            log::error("the producer failed for good and is rebuilt", {{"detail", why.data()}});
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
    hand_over();
}

std::unique_ptr<producer::instance> producer::make_instance()
{
    client_config config{settings_};
    config.set("linger.ms", "0.5"); // longer waits cost throughput with few senders, none costs a wake-up a record
    config.set("queue.buffering.max.kbytes", std::to_string(options_.queue_bytes_max / 1024));
    config.set("message.timeout.ms", std::to_string(options_.give_up_after.count()));
    config.set("statistics.interval.ms", "2000");
    config.set("allow.auto.create.topics", "false"); // by the brokers' defaults: one partition, one copy, a week
    config.set("partitioner", "murmur2_random"); // the partition Java's clients would choose
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
        static_cast<void>(made.release()); // nothing to purge or destroy: 64 bytes, once, on the way out
        throw std::runtime_error{"Kafka producer: " + std::string{why.data()}};
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
    // librdkafka copies the value and takes no interest in constness. Its opaque pointer comes back as it was: our
    // number. NOLINTBEGIN(performance-no-int-to-ptr)
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
            hand_over();
            std::this_thread::sleep_for(breath);
        }
        if (fatal_ && !rebuild()) return;
    }
}

void producer::collect(rd_kafka_message_s const& message)
{
    auto const outcome = outcome_of(message);
    if (outcome == delivery::persisted)
        brokers_up_ = true;
    else
        log::debug("not delivered", {{"error", rd_kafka_err2name(message.err)}});
    collected_.push_back({reinterpret_cast<std::uint64_t>(message._private), outcome});
}

void producer::hand_over()
{
    if (collected_.empty()) return;
    sink_(std::exchange(collected_, {}));
}

// The old instance first reports what it held; meanwhile publish() says failed, and the sender comes again.
bool producer::rebuild()
{
    std::unique_ptr<instance> broken;
    {
        std::lock_guard const lock{instance_mutex_};
        broken = std::move(instance_);
    }
    broken.reset();
    hand_over();
    while (!stopping_) {
        try {
            auto next = make_instance();
            std::lock_guard const lock{instance_mutex_};
            instance_ = std::move(next);
            fatal_ = false;
            ++rebuilds_;
            return true;
        } catch (std::exception const& fault) {
            log::error("the producer could not be rebuilt", {{"detail", fault.what()}});
            std::this_thread::sleep_for(rebuild_interval);
        }
    }
    return false;
}

}
