#pragma once

// Reads the dead-letter topic for commands: selects dead letters by a filter, with whether each is still open.

#include "common/process/stop_signal.hpp"
#include "worker/config.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/dead_letters/dead_letter.hpp"
#include "worker/dead_letters/dead_letter_marks.hpp"
#include "worker/operate/failure.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace clerk_strapi::worker::commands
{

struct dead_letter_filter
{
    std::vector<std::string> reasons;
    std::string since; // parse_given_time()'s forms; empty: any
    std::string until;
    std::string user;
    std::vector<std::string> ids; // 3-120, or clerk.dead-letters-3-120
    bool closed_too{false};

    [[nodiscard]] bool selects_something() const;
};

struct dead_letter
{
    event_record record;
    dead_letter_info note;
    std::optional<dead_letter_mark> mark; // none: open

    [[nodiscard]] std::string id() const; // partition-offset
};

class dead_letter_scan
{
public:
    // Throws config_error for a filter that cannot be parsed.
    dead_letter_scan(worker_config const& config, dead_letter_filter filter);

    // Reads the offsets from the brokers and the marks from the database.
    [[nodiscard]] result<void, failure> open();
    // Calls `take` for each selected dead letter, in order per partition, until it fails or returns false.
    [[nodiscard]] result<void, failure> each(std::function<result<bool, failure>(dead_letter const&)> const& take);
    // Closes a dead letter.
    [[nodiscard]] result<void, failure> mark(dead_letter const& one, dead_letter_mark mark);

    [[nodiscard]] kafka_topic_reader& reader() { return reader_; }
    [[nodiscard]] stop_signal const& stop() const { return stop_; }
    [[nodiscard]] std::string const& topic() const { return topic_; }
    // Open dead letters in the topic, whatever the filter; after open().
    [[nodiscard]] std::int64_t open_count() const;

private:
    [[nodiscard]] bool selects(dead_letter const& one) const;
    [[nodiscard]] result<void, failure> narrow();

    stop_signal stop_;
    std::string topic_;
    dead_letter_filter filter_;
    std::optional<std::int64_t> since_ms_;
    std::optional<std::int64_t> until_ms_;
    std::set<dead_letter_position> places_;
    dead_letter_marks marks_;
    kafka_topic_reader reader_;
    marked_dead_letters known_;
    std::vector<partition_extent> extents_;
    std::vector<partition_range> ranges_;
};

}
