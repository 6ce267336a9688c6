#include "worker/consume/event_source.hpp"

#include "common/log/logging.hpp"
#include "common/process/fail_point.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

namespace clerk_strapi::worker
{

namespace
{

using namespace std::chrono_literals;

constexpr auto commit_interval = 1s;
constexpr auto lag_interval = 1s;
constexpr auto lookup_interval = 500ms; // between lookups while the database is unavailable

using list_pointer = std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)>;

int milliseconds(std::chrono::milliseconds time) { return static_cast<int>(time.count()); }

}

struct kafka_event_source::callbacks
{
    static void on_rebalance(
        rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions, void* self)
    {
        auto& owner = *static_cast<kafka_event_source*>(self);
        what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? owner.on_assigned(*partitions) : owner.on_revoked(*partitions);
    }

    static void on_error(rd_kafka_t*, int code, char const* text, void* self)
    {
        auto& owner = *static_cast<kafka_event_source*>(self);
        if (code == RD_KAFKA_RESP_ERR__FATAL) return owner.record_fatal_error();
        if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) owner.brokers_up_ = false;
        owner.errors_.report(code, text);
    }

    static int on_statistics(rd_kafka_t*, char* json, std::size_t bytes, void* self)
    {
        auto& owner = *static_cast<kafka_event_source*>(self);
        owner.brokers_up_ = kafka::any_broker_up({json, bytes});
        if (owner.brokers_up_) owner.errors_.clear();
        owner.on_group_state(kafka::group_is_steady({json, bytes}));
        if (owner.settings_.client.statistics) owner.settings_.client.statistics({json, bytes});
        return 0;
    }
};

kafka_event_source::kafka_event_source(source_settings settings, position_lookup lookup)
    : settings_(std::move(settings))
    , lookup_(std::move(lookup))
    , errors_(settings_.client)
{
    kafka::client_config config{settings_.client};
    config.set("session.timeout.ms", "10000"); // a killed worker's partitions are reassigned within 15 s
    config.set("heartbeat.interval.ms", "1000"); // how soon a member notices a rebalance
    config.set(kafka::strategy_property, settings_.assignment_strategy);
    config.set("auto.offset.reset", "earliest"); // for a position that is gone: rewind, never jump to the end
    config.set("check.crcs", "true");
    config.set("queued.min.messages", "20000");
    config.set("queued.max.messages.kbytes", "16384");
    config.set("fetch.message.max.bytes", "524288"); // a partition's share of one answer: bounds resident memory
    config.set("fetch.error.backoff.ms", "100"); // a full queue's too, before librdkafka 2.2
    config.set_if_known("fetch.queue.backoff.ms", "100"); // since then it waits a second, and reading stalls
    config.set("topic.metadata.refresh.interval.ms", "10000"); // a topic that is created or extended later is noticed
    config.set("statistics.interval.ms", "500"); // how soon readiness sees a broker
    config.apply_extra();
    config.set("group.id", settings_.group_id);
    config.set("enable.auto.commit", "false");
    config.set("enable.auto.offset.store", "false");
    auto* const conf = config.get();
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_rebalance_cb(conf, callbacks::on_rebalance);
    rd_kafka_conf_set_error_cb(conf, callbacks::on_error);
    rd_kafka_conf_set_stats_cb(conf, callbacks::on_statistics);

    std::array<char, 512> why{};
    handle_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error{"Kafka consumer: " + std::string{why.data()}};
    static_cast<void>(config.release());
    rd_kafka_poll_set_consumer(handle_);
    partitions_.attach(handle_, settings_.topic);
    list_pointer const topics{rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy};
    rd_kafka_topic_partition_list_add(topics.get(), settings_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(handle_, topics.get());
}

kafka_event_source::~kafka_event_source()
{
    commit_finished();
    fetched_during_pause_.clear(); // messages must be destroyed before their handle
    rd_kafka_consumer_close(handle_);
    rd_kafka_destroy(handle_);
}

void kafka_event_source::on_assigned(rd_kafka_topic_partition_list_t const& partitions)
{
    log::info("partitions assigned", {{"topic", settings_.topic}, {"count", partitions.cnt}});
    fail_point(fail_at::worker_on_assigned);
    brokers_up_ = true;
    rejected_by_group_ = false;
    partitions_.assigned(partitions); // at once: the database may take longer than the group waits
    wait_for_positions();
}

void kafka_event_source::on_revoked(rd_kafka_topic_partition_list_t const& partitions)
{
    log::info("partitions revoked", {{"topic", settings_.topic}, {"count", partitions.cnt}});
    fail_point(fail_at::worker_on_revoked);
    if (rd_kafka_assignment_lost(handle_) == 0) commit_finished();
    if (partitions_.revoked(partitions)) batch_void_ = true;
    drop_unassigned();
    waiting_for_positions_ = !partitions_.waiting().empty();
    positioned_ = !waiting_for_positions_ && !partitions_.all().empty();
    lookup_at_ = {};
}

void kafka_event_source::wait_for_positions()
{
    waiting_for_positions_ = true;
    positioned_ = false;
    lookup_at_ = {};
}

// Drops messages of partitions that are no longer read. They are read again from their stored positions.
void kafka_event_source::drop_unassigned()
{
    std::erase_if(fetched_during_pause_,
        [this](message_pointer const& message) { return !partitions_.is_read(message->partition); });
}

bool kafka_event_source::rewind_if_positions_lost()
{
    auto const& reading = partitions_.reading();
    if (reading.empty()) return false;
    auto const known = lookup_(cluster_);
    if (!known) return false; // still unavailable: the next transaction fails, too
    auto const forgotten = [&](auto const& one) {
        auto const found = std::find_if(known->begin(), known->end(),
            [&](auto const& position) { return position.partition == one.first && position.topic == settings_.topic; });
        return found == known->end() ? one.second.stored > 0 : found->next < one.second.stored;
    };
    if (std::none_of(reading.begin(), reading.end(), forgotten)) return false;
    log::warning("stored positions are older than before (a failover, or a restored backup); rewinding to them",
        {{"topic", settings_.topic}});
    partitions_.stop_all();
    drop_unassigned();
    wait_for_positions();
    return true;
}

// The stored position decides where reading starts. A partition without one is read from the beginning, whatever
// Kafka's own commit is: a restored backup lacks rows whose offsets are committed in Kafka.
void kafka_event_source::start_from_database()
{
    auto const now = std::chrono::steady_clock::now();
    if (now < lookup_at_) return;
    lookup_at_ = now + lookup_interval;
    if (cluster_.empty()) {
        auto* const id = rd_kafka_clusterid(handle_, 100);
        if (id == nullptr) return;
        cluster_ = id;
        rd_kafka_mem_free(handle_, id);
    }
    auto const known = lookup_(cluster_);
    if (!known) return;
    std::map<std::int32_t, std::optional<std::int64_t>> positions;
    for (auto const partition : partitions_.waiting()) {
        auto const found = std::find_if(known->begin(), known->end(),
            [&](auto const& position) { return position.partition == partition && position.topic == settings_.topic; });
        positions[partition] = found == known->end() ? std::nullopt : std::optional{found->next};
        watch_.starts(partition, positions[partition]);
    }
    partitions_.start(positions);
    waiting_for_positions_ = false;
    positioned_ = true;
}

message_pointer kafka_event_source::next_message(std::chrono::milliseconds wait)
{
    auto message = hold_message(rd_kafka_consumer_poll(handle_, milliseconds(wait)));
    if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message->err == RD_KAFKA_RESP_ERR__FATAL)
            record_fatal_error();
        else if (message->err == RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL)
            record_rejection();
        else
            log_fault(*message);
        return {};
    }
    return message;
}

// A consumer never recovers from a fatal error. The only one is a static identity that another member took over.
void kafka_event_source::record_fatal_error()
{
    std::array<char, 512> why{};
    auto const code = rd_kafka_fatal_error(handle_, why.data(), why.size());
    if (failed_ || code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    failure_ = code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID
        ? "another worker joined with the same KAFKA_GROUP_INSTANCE_ID: give each worker its own"
        : std::string{why.data()};
    failed_ = true;
}

std::optional<std::string> kafka_event_source::failed_for_good() const
{
    if (!failed_) return std::nullopt;
    return failure_;
}

// librdkafka tries to join again every second, and succeeds once the other members have left.
void kafka_event_source::record_rejection()
{
    rejected_by_group_ = true;
    static log::repeat_limit limit{10s};
    auto const held_back = limit.pass();
    if (!held_back) return;
    log::error("cannot join the consumer group, because its members use another assignment strategy: stop all workers "
               "of the group, then start them with one KAFKA_PARTITION_ASSIGNMENT_STRATEGY",
        {{"group", settings_.group_id}, {"topic", settings_.topic}, {"held_back", *held_back}});
}

void kafka_event_source::log_fault(rd_kafka_message_t const& message) const
{
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
    static log::repeat_limit limit{10s};
    auto const held_back = limit.pass();
    if (!held_back) return;
    if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || message.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        log::warning("topic not found; `clerk-worker topics` creates it",
            {{"topic", settings_.topic}, {"held_back", *held_back}});
    } else {
        log::warning("cannot read from Kafka; retrying",
            {{"error", rd_kafka_err2name(message.err)}, {"topic", settings_.topic}, {"held_back", *held_back}});
    }
}

std::vector<event_record> kafka_event_source::poll(std::chrono::milliseconds wait)
{
    if (partitions_.paused()) partitions_.resume();
    batch_void_ = false;
    if (waiting_for_positions_) {
        start_from_database();
        if (waiting_for_positions_) wait = std::min<std::chrono::milliseconds>(wait, lookup_interval);
    }
    std::vector<event_record> records;
    std::vector<message_pointer> const early = std::move(fetched_during_pause_);
    fetched_during_pause_.clear();
    records.reserve(early.size());
    for (auto const& message : early)
        records.push_back(record_of(message, cluster_, settings_.topic));

    // A single event is returned at once; with a second one the batch waits BATCH_WAIT_MS for more.
    auto until = std::chrono::steady_clock::now() + wait;
    while (records.size() < settings_.batch_records) {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        auto message = next_message(records.size() == 1 ? 0ms : std::max(left, 0ms));
        if (!message) break;
        records.push_back(record_of(std::move(message), cluster_, settings_.topic));
        if (records.size() == 1) until = std::chrono::steady_clock::now() + settings_.batch_wait;
    }
    if (failed_) records.clear();
    // A partition was revoked meanwhile: its next owner starts at the stored position.
    std::erase_if(records, [&](event_record const& record) { return !partitions_.is_read(record.partition); });
    for (auto const& record : records) {
        partitions_.reading().at(record.partition).next = record.offset + 1;
        report_gap(record.partition, watch_.read(record.partition, record.offset));
    }
    queue_found_positions();
    if (!partitions_.cooperative() && commit_is_due()) commit_finished();
    measure_lag();
    return records;
}

bool kafka_event_source::hold(std::chrono::milliseconds wait)
{
    if (!partitions_.paused()) partitions_.pause();
    auto const until = std::chrono::steady_clock::now() + wait;
    do {
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (auto message = next_message(std::max(left, 0ms))) {
            fetched_during_pause_.push_back(std::move(message)); // fetched before the pause took effect
            partitions_.pause();
        }
        if (waiting_for_positions_) start_from_database();
    } while (!batch_void_ && !failed_ && std::chrono::steady_clock::now() < until);
    measure_lag();
    return batch_void_ || failed_;
}

void kafka_event_source::finished(std::vector<partition_position> const& positions)
{
    for (auto const& position : positions) {
        auto const found = partitions_.reading().find(position.partition);
        if (found == partitions_.reading().end()) continue; // revoked meanwhile
        found->second.finished = found->second.stored = position.next;
    }
}

// A worker that died between its own commit and Kafka's left a lag, which would stay on a partition without traffic. A
// position beyond the end belongs to an earlier topic of this name, and is not committed.
void kafka_event_source::queue_found_positions()
{
    for (auto& [partition, place] : partitions_.reading()) {
        if (!place.found) continue;
        std::int64_t low = 0;
        std::int64_t high = 0;
        auto const error = rd_kafka_get_watermark_offsets(handle_, settings_.topic.c_str(), partition, &low, &high);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) continue; // not known yet
        if (*place.found <= high && !place.finished) place.finished = place.found;
        place.found.reset();
    }
}

// During a cooperative rebalance this member keeps its partitions, but a commit that overtakes the new generation
// would cost all of them (librdkafka before 2.10, #4059). So it commits at the moment when librdkafka reports that no
// rebalance is in progress: the report comes with a heartbeat, and the response to that heartbeat may start one later.
void kafka_event_source::on_group_state(bool steady)
{
    if (partitions_.cooperative() && steady && commit_is_due()) commit_finished();
}

bool kafka_event_source::commit_is_due() const
{
    return std::chrono::steady_clock::now() - committed_at_ >= commit_interval;
}

void kafka_event_source::commit_finished()
{
    list_pointer const offsets{rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy};
    for (auto const& [partition, place] : partitions_.reading()) {
        if (!place.finished) continue;
        rd_kafka_topic_partition_list_add(offsets.get(), settings_.topic.c_str(), partition)->offset = *place.finished;
    }
    if (offsets->cnt == 0) return;
    committed_at_ = std::chrono::steady_clock::now();
    fail_point(fail_at::worker_before_offset_commit);
    for (auto& [partition, place] : partitions_.reading())
        place.finished.reset();
    // A failed commit causes only a wrong lag until the next one: the positions are in the database.
    rd_kafka_commit(handle_, offsets.get(), 1);
}

void kafka_event_source::measure_lag()
{
    auto const now = std::chrono::steady_clock::now();
    if (now - measured_at_ < lag_interval) return;
    measured_at_ = now;
    std::vector<partition_lag> measured;
    for (auto const partition : partitions_.all()) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        auto const known = rd_kafka_get_watermark_offsets(handle_, settings_.topic.c_str(), partition, &low, &high)
            == RD_KAFKA_RESP_ERR_NO_ERROR;
        auto const found = partitions_.reading().find(partition);
        auto const is_read = found != partitions_.reading().end();
        if (is_read && known && low >= 0) report_gap(partition, watch_.begins(partition, low));
        auto const reached = is_read ? found->second.next : 0;
        auto const next = std::max(reached, std::max<std::int64_t>(low, 0));
        measured.push_back({partition, known && high > next ? high - next : 0});
    }
    std::lock_guard const lock{lag_mutex_};
    lag_ = std::move(measured);
}

void kafka_event_source::report_gap(std::int32_t partition, std::optional<offset_gap> found) const
{
    if (!found) return;
    log::error(*found == offset_gap::truncated
            ? "Kafka dropped events before they were applied: run `clerk-worker backfill`, then `reconcile`"
            : "the topic restarted before the stored position and is read again: run `clerk-worker reconcile`",
        {{"topic", settings_.topic}, {"partition", partition}});
    if (settings_.offset_gap_found) settings_.offset_gap_found(*found);
}

std::vector<partition_lag> kafka_event_source::lag() const
{
    std::lock_guard const lock{lag_mutex_};
    return lag_;
}

}
