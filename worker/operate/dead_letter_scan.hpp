#pragma once

// Reads the dead-letter topic for commands: which letters are meant, and whether they are still open.

#include "common/process/stop_signal.hpp"
#include "worker/config.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/dead_letters/dead_letter.hpp"
#include "worker/dead_letters/dead_letter_marks.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace clerk_strapi::worker::commands
{

struct letter_filter
{
    std::vector<std::string> reasons;
    std::string since; // given_time's forms; empty: any
    std::string until;
    std::string user;
    std::vector<std::string> ids; // 3-120, or clerk.dead-letters-3-120
    bool closed_too{false};

    [[nodiscard]] bool names_something() const;
};

struct letter
{
    event_record record;
    dead_letter_info note;
    std::optional<dead_letter_mark> mark; // none: open

    [[nodiscard]] std::string id() const; // partition-offset
};

class letter_scan
{
public:
    // Throws config_error when the filter makes no sense.
    letter_scan(worker_config const& config, letter_filter filter);

    // Asks brokers and database what there is; the fault for people, or empty.
    [[nodiscard]] std::string open();
    // Every letter that the filter means, in the order of each partition, until `take` says enough. The fault or empty.
    [[nodiscard]] std::string each(std::function<bool(letter const&)> const& take);
    // The fault for people, or empty.
    [[nodiscard]] std::string mark(letter const& one, dead_letter_mark mark);

    [[nodiscard]] kafka_topic_reader& reader() { return reader_; }
    [[nodiscard]] stop_signal const& stop() const { return stop_; }
    [[nodiscard]] std::string const& topic() const { return topic_; }
    // Letters that the topic holds and nobody has dealt with, whatever the filter; after open().
    [[nodiscard]] std::int64_t open_count() const;

private:
    [[nodiscard]] bool means(letter const& one) const;
    [[nodiscard]] std::string narrow();

    stop_signal stop_;
    std::string topic_;
    letter_filter filter_;
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
