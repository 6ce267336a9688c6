#include "worker/operate/dead_letter_scan.hpp"

#include "worker/operate/clock.hpp"
#include "worker/operate/given_time.hpp"
#include "worker/operate/replay_range.hpp"
#include "worker/operate/topic_scan.hpp"

#include <algorithm>

namespace clerk_strapi::worker::commands
{

namespace
{

constexpr std::size_t records_at_once = 500;

std::optional<std::int64_t> time_of(char const* flag, std::string const& text)
{
    if (text.empty()) return std::nullopt;
    if (auto const time = parse_given_time(text, now_ms())) return time;
    throw config_error{std::string{flag} + " " + text + " is not " + given_time_forms};
}

// 3-120, or the topic's name before it: clerk.dead-letters-3-120.
dead_letter_position place_of(std::string const& id, std::string const& topic)
{
    auto text = id.starts_with(topic + "-") ? id.substr(topic.size() + 1) : id;
    std::replace(text.begin(), text.end(), '-', ':');
    if (auto const point = parse_replay_point(text, 0)) {
        if (auto const* named = std::get_if<partition_offsets>(&*point);
            named != nullptr && named->by_partition.size() == 1)
            return *named->by_partition.begin();
    }
    throw config_error{id + " is not a dead letter's id, such as 3-120 (partition-offset; `dlq list` shows them)"};
}

}

bool dead_letter_filter::selects_something() const
{
    return !reasons.empty() || !since.empty() || !until.empty() || !user.empty() || !ids.empty();
}

std::string dead_letter::id() const { return std::to_string(record.partition) + "-" + std::to_string(record.offset); }

dead_letter_scan::dead_letter_scan(worker_config const& config, dead_letter_filter filter)
    : topic_{config.topics.dead_letters}
    , filter_{std::move(filter)}
    , since_ms_{time_of("--since", filter_.since)}
    , until_ms_{time_of("--until", filter_.until)}
    , marks_{config.conninfo}
    , reader_{config.kafka}
{
    for (auto const& id : filter_.ids)
        places_.insert(place_of(id, topic_));
}

result<void, failure> dead_letter_scan::open()
{
    auto const& cluster = reader_.cluster();
    if (cluster.empty()) return failure{"cannot reach a broker of KAFKA_BROKERS: " + reader_.fault()};
    auto known = marks_.load(cluster, topic_);
    if (!known) return failure{"cannot use the database: " + marks_.fault()};
    known_ = std::move(*known);
    auto extents = reader_.extents(topic_);
    if (!extents) return failure{"cannot read the offsets of topic " + topic_ + ": " + reader_.fault()};
    if (extents->empty()) return failure{"topic " + topic_ + " does not exist; run `clerk-worker topics`"};
    extents_ = std::move(*extents);
    return narrow();
}

// Reads only the partitions and offsets that can hold a selected dead letter.
result<void, failure> dead_letter_scan::narrow()
{
    for (auto const& extent : extents_)
        ranges_.push_back({extent.partition, extent.first, extent.next});
    if (since_ms_) {
        auto const begin = reader_.offsets_at(topic_, extents_, *since_ms_);
        if (!begin) return failure{"cannot find the offsets of --since: " + reader_.fault()};
        for (auto& range : ranges_)
            range.from = std::max(range.from, begin->at(range.partition));
    }
    if (until_ms_) {
        auto const end = reader_.offsets_at(topic_, extents_, *until_ms_);
        if (!end) return failure{"cannot find the offsets of --until: " + reader_.fault()};
        for (auto& range : ranges_)
            range.until = std::min(range.until, end->at(range.partition));
    }
    if (places_.empty()) return {};
    for (auto& range : ranges_) {
        auto const first = places_.lower_bound({range.partition, 0});
        auto const after = places_.lower_bound({range.partition + 1, 0});
        if (first == after) {
            range.until = range.from;
        } else {
            range.from = std::max(range.from, first->second);
            range.until = std::min(range.until, std::prev(after)->second + 1);
        }
    }
    return {};
}

result<void, failure> dead_letter_scan::each(std::function<result<bool, failure>(dead_letter const&)> const& take)
{
    std::string const stopped = "stopped; run the same command again to continue";
    return read_topic({topic_, ranges_, records_at_once, stopped}, reader_, stop_,
        [&](std::vector<event_record>& records) -> result<bool, failure> {
            for (auto& record : records) {
                if (stop_.requested()) return failure{stopped};
                dead_letter one{std::move(record), {}, std::nullopt};
                one.note = read_dead_letter(one.record.view());
                auto const mark = known_.find({one.record.partition, one.record.offset});
                if (mark != known_.end()) one.mark = mark->second;
                if (!selects(one)) continue;
                if (auto const next = take(one); !next || !*next) return next;
            }
            return true;
        });
}

bool dead_letter_scan::selects(dead_letter const& one) const
{
    if (one.mark && !filter_.closed_too) return false;
    if (!places_.empty() && !places_.contains({one.record.partition, one.record.offset})) return false;
    if (!filter_.user.empty() && one.record.key != filter_.user) return false;
    return filter_.reasons.empty()
        || std::find(filter_.reasons.begin(), filter_.reasons.end(), one.note.reason) != filter_.reasons.end();
}

result<void, failure> dead_letter_scan::mark(dead_letter const& one, dead_letter_mark mark)
{
    auto const& cluster = reader_.cluster();
    auto const good = marks_.put(cluster, topic_, {one.record.partition, one.record.offset}, mark)
        && marks_.tidy(cluster, topic_, extents_);
    if (!good) return failure{"cannot use the database: " + marks_.fault()};
    return {};
}

std::int64_t dead_letter_scan::open_count() const
{
    std::int64_t count = 0;
    for (auto const& extent : extents_) {
        count += extent.next - extent.first;
        for (auto one = known_.lower_bound({extent.partition, extent.first});
             one != known_.end() && one->first.first == extent.partition && one->first.second < extent.next; ++one)
            --count;
    }
    return count;
}

}
