#include "worker/consume/assigned_partitions.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <string_view>

namespace clerk_strapi::worker
{

namespace
{

assigned_partitions::numbers numbers_of(rd_kafka_topic_partition_list_t const& partitions)
{
    assigned_partitions::numbers numbers;
    for (auto const* one = partitions.elems; one != partitions.elems + partitions.cnt; ++one)
        numbers.insert(one->partition);
    return numbers;
}

bool is_cooperative(rd_kafka_t* consumer)
{
    auto const* const protocol = rd_kafka_rebalance_protocol(consumer);
    return protocol != nullptr && std::string_view{protocol} == "COOPERATIVE";
}

// librdkafka has logged the error, and has changed nothing.
void drop_error(rd_kafka_error_t* error)
{
    if (error != nullptr) rd_kafka_error_destroy(error);
}

}

void assigned_partitions::attach(rd_kafka_s* consumer, std::string topic)
{
    consumer_ = consumer;
    topic_ = std::move(topic);
}

void assigned_partitions::assigned(rd_kafka_topic_partition_list_s const& partitions)
{
    cooperative_ = is_cooperative(consumer_);
    if (cooperative_) {
        keep_places();
    } else {
        reading_.clear();
        assigned_.clear();
    }
    assigned_.merge(numbers_of(partitions));
    hand_over(*list_of({}));
}

bool assigned_partitions::revoked(rd_kafka_topic_partition_list_s const& partitions)
{
    if (is_cooperative(consumer_)) return revoke(numbers_of(partitions));
    revoke_all();
    return true;
}

void assigned_partitions::revoke_all()
{
    if (paused_) resume_now(read_numbers()); // librdkafka would remember the pause if they are assigned again
    rd_kafka_assign(consumer_, nullptr);
    reading_.clear();
    assigned_.clear();
}

// The caller drops its whole batch or nothing of it. Without a record of a revoked partition, the batch stays valid and
// the other partitions are read on. With one, the records of the other partitions are dropped too, so those start again
// at their stored positions.
bool assigned_partitions::revoke(numbers const& partitions)
{
    auto const batch_is_void =
        !std::all_of(partitions.begin(), partitions.end(), [this](auto one) { return is_settled(one); });
    keep_places();
    stop(batch_is_void ? read_numbers() : partitions);
    std::erase_if(assigned_, [&](auto one) { return partitions.count(one) > 0; });
    return batch_is_void;
}

void assigned_partitions::start(std::map<std::int32_t, std::optional<std::int64_t>> const& positions)
{
    if (positions.empty()) return;
    numbers starting;
    for (auto const& [partition, position] : positions) {
        reading_[partition] = {position.value_or(0), position.value_or(0), std::nullopt, position};
        starting.insert(partition);
    }
    auto const list = list_of(starting);
    for (auto* one = list->elems; one != list->elems + list->cnt; ++one)
        one->offset = positions.at(one->partition).value_or(RD_KAFKA_OFFSET_BEGINNING);
    hand_over(*list);
    if (paused_) pause_now(starting);
}

// An eager assignment replaces the one before, which is empty: its partitions all start together.
void assigned_partitions::hand_over(rd_kafka_topic_partition_list_s const& starting)
{
    if (cooperative_)
        drop_error(rd_kafka_incremental_assign(consumer_, &starting));
    else
        rd_kafka_assign(consumer_, &starting);
}

void assigned_partitions::stop_all()
{
    if (cooperative_) return stop(read_numbers());
    if (paused_) resume_now(read_numbers());
    rd_kafka_assign(consumer_, list_of({}).get());
    reading_.clear();
}

// Only in a cooperative group. A partition that waits for its position is not in librdkafka's assignment.
void assigned_partitions::stop(numbers const& partitions)
{
    auto stopped = read_numbers();
    std::erase_if(stopped, [&](auto one) { return partitions.count(one) == 0; });
    if (paused_) resume_now(stopped);
    drop_error(rd_kafka_incremental_unassign(consumer_, list_of(stopped).get()));
    std::erase_if(reading_, [&](auto const& one) { return stopped.count(one.first) > 0; });
}

// For a cooperative rebalance librdkafka has paused every partition, perhaps while it returned a record: it would
// resume before that record, and return it again. A pause by the polling thread sets the position behind the record.
void assigned_partitions::keep_places()
{
    pause_now(read_numbers());
    if (!paused_) resume_now(read_numbers());
}

// Called again when a record arrives during the pause: librdkafka had kept the position before that record.
void assigned_partitions::pause()
{
    paused_ = true;
    pause_now(read_numbers());
}

void assigned_partitions::resume()
{
    paused_ = false;
    resume_now(read_numbers());
}

assigned_partitions::numbers assigned_partitions::waiting() const
{
    auto waiting = assigned_;
    std::erase_if(waiting, [this](auto one) { return is_read(one); });
    return waiting;
}

bool assigned_partitions::is_settled(std::int32_t partition) const
{
    auto const found = reading_.find(partition);
    return found == reading_.end() || found->second.settled();
}

assigned_partitions::numbers assigned_partitions::read_numbers() const
{
    numbers partitions;
    for (auto const& one : reading_)
        partitions.insert(one.first);
    return partitions;
}

assigned_partitions::list_pointer assigned_partitions::list_of(numbers const& partitions) const
{
    list_pointer list{
        rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())), &rd_kafka_topic_partition_list_destroy};
    for (auto const partition : partitions)
        rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition);
    return list;
}

void assigned_partitions::pause_now(numbers const& partitions)
{
    if (!partitions.empty()) rd_kafka_pause_partitions(consumer_, list_of(partitions).get());
}

void assigned_partitions::resume_now(numbers const& partitions)
{
    if (!partitions.empty()) rd_kafka_resume_partitions(consumer_, list_of(partitions).get());
}

}
