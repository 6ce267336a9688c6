#pragma once

// Stages 6 to 8 in order: decode, apply, dead-letter records that can never be applied, and only then commit the
// offsets (I7). A batch that cannot be finished now is kept and tried again: nothing is read or counted twice. One
// poison record delays only itself (I8): the batch is split until that record is alone.

#include "worker/metrics.hpp"
#include "worker/ports.hpp"

#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace clerk_strapi::worker
{

struct batch_result
{
    pause_cause cause{pause_cause::none}; // none: the batch is done
    std::string detail;
};

// Detects a series of dead letters: the fault is then probably in this program or in the site, not in the records.
class dead_letter_watch
{
public:
    static constexpr int storm_begins_at = 5;

    // True: the fifth dead letter for one reason without a success between them. Counting starts again.
    [[nodiscard]] bool dead_lettered(std::string_view reason);
    void succeeded() { count_ = 0; }

private:
    std::string reason_;
    int count_{0};
};

class batch_processor
{
public:
    batch_processor(event_source& source, user_store& store, dead_letters& dead, metrics& counters, decode_rules rules)
        : source_(source)
        , store_(store)
        , dead_(dead)
        , metrics_(counters)
        , rules_(std::move(rules))
    {
    }

    [[nodiscard]] bool empty() const { return records_.empty(); }
    void take(std::vector<event_record> records);
    // The partitions of the records were revoked.
    void drop();

    // Call again, after a pause, until the cause is `none`.
    [[nodiscard]] batch_result process();

private:
    using decoded = result<user_event, dead_letter_cause>;

    [[nodiscard]] std::size_t run_end() const;
    [[nodiscard]] std::optional<batch_result> apply_run();
    [[nodiscard]] std::optional<batch_result> dead_letter_one(dead_letter_cause const& cause);
    [[nodiscard]] std::optional<batch_result> apply(
        std::vector<user_event> const& events, std::size_t end, bool& refused);
    [[nodiscard]] std::vector<partition_position> positions_until(std::size_t end) const;
    void count(std::vector<user_event> const& events, apply_result const& applied);

    event_source& source_;
    user_store& store_;
    dead_letters& dead_;
    metrics& metrics_;
    decode_rules rules_;
    dead_letter_watch watch_;

    std::vector<event_record> records_;
    std::vector<decoded> decoded_;
    std::size_t next_{0}; // the first record that is neither applied nor dead-lettered
    std::size_t stored_{0}; // the first record whose position is not stored yet
    std::size_t run_max_{std::numeric_limits<std::size_t>::max()}; // records in one transaction; small after a fault
    bool storm_{false};
};

}
