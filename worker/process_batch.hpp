#pragma once

// The worker's story, stages 6 to 8: decode, apply, park what can never be applied, and only then let the offsets
// move (I7). A batch that cannot be finished now stays in hand and is tried again: nothing is read twice and nothing
// is counted twice. One poison record delays only itself (I8): the batch is split until it stands alone.

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

// Notices when parking stops being the exception: the fault is then likely ours, or the site's, not the records'.
class park_watch
{
public:
    static constexpr int storm_begins_at = 5;

    // True: the fifth park for one reason without a success between. Counting starts again.
    [[nodiscard]] bool parked(std::string_view reason);
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
    // The records belong to somebody else now.
    void drop();

    // Goes as far as it can; to be called again, after a pause, until the cause is none.
    [[nodiscard]] batch_result process();

private:
    using decoded = result<user_event, park_verdict>;

    [[nodiscard]] std::size_t run_end() const;
    [[nodiscard]] std::optional<batch_result> apply_run();
    [[nodiscard]] std::optional<batch_result> park_one(park_verdict const& verdict);
    [[nodiscard]] std::optional<batch_result> apply(
        std::vector<user_event> const& events, std::size_t end, bool& refused);
    [[nodiscard]] std::vector<partition_position> positions_until(std::size_t end) const;
    void count(std::vector<user_event> const& events, apply_result const& applied);

    event_source& source_;
    user_store& store_;
    dead_letters& dead_;
    metrics& metrics_;
    decode_rules rules_;
    park_watch watch_;

    std::vector<event_record> records_;
    std::vector<decoded> decoded_;
    std::size_t next_{0}; // the first record that is neither applied nor parked
    std::size_t stored_{0}; // the first whose position is not yet in the database
    std::size_t run_max_{std::numeric_limits<std::size_t>::max()}; // records applied at once; small after a fault
    bool storm_{false};
};

}
