#include "worker/operate/dead_letter_scan.hpp"

#include "worker/operate/given_time.hpp"
#include "worker/operate/replay_range.hpp"

#include <algorithm>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

constexpr auto silence_max = 30s;
constexpr std::size_t records_at_once = 500;

std::optional<std::int64_t> time_of(char const* flag, std::string const& text)
{
    if (text.empty()) return std::nullopt;
    auto const now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    if (auto const time = parse_given_time(text, now.count())) return time;
    throw config_error{std::string{flag} + " " + text + " is not " + given_time_forms};
}

// 3-120, or with the topic's name before it.
dead_letter_position place_of(std::string const& id, std::string const& topic)
{
    auto text = id.starts_with(topic + "-") ? id.substr(topic.size() + 1) : id;
    std::replace(text.begin(), text.end(), '-', ':');
    if (auto const point = parse_log_point(text, 0)) {
        if (auto const* named = std::get_if<log_offsets>(&*point); named != nullptr && named->by_partition.size() == 1)
            return *named->by_partition.begin();
    }
    throw config_error{id + " is not a dead letter's id, such as 3-120 (partition-offset; `dlq list` shows them)"};
}

}

bool letter_filter::names_something() const
{
    return !reasons.empty() || !since.empty() || !until.empty() || !user.empty() || !ids.empty();
}

std::string letter::id() const { return std::to_string(record.partition) + "-" + std::to_string(record.offset); }

letter_scan::letter_scan(worker_config const& config, letter_filter filter)
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

std::string letter_scan::open()
{
    auto const& cluster = reader_.cluster();
    if (cluster.empty()) return "no broker of KAFKA_BROKERS answers: " + reader_.fault();
    auto known = marks_.load(cluster, topic_);
    if (!known) return "the database: " + marks_.fault();
    known_ = std::move(*known);
    auto extents = reader_.extents(topic_);
    if (!extents) return "the brokers do not say what " + topic_ + " holds: " + reader_.fault();
    if (extents->empty()) return "there is no topic " + topic_ + "; `clerk-worker topics` creates it";
    extents_ = std::move(*extents);
    return narrow();
}

// Only what can hold what is meant is read.
std::string letter_scan::narrow()
{
    for (auto const& extent : extents_)
        ranges_.push_back({extent.partition, extent.first, extent.next});
    if (since_ms_) {
        auto const begin = reader_.offsets_at(topic_, extents_, *since_ms_);
        if (!begin) return "the brokers do not say where --since is: " + reader_.fault();
        for (auto& range : ranges_)
            range.from = std::max(range.from, begin->at(range.partition));
    }
    if (until_ms_) {
        auto const end = reader_.offsets_at(topic_, extents_, *until_ms_);
        if (!end) return "the brokers do not say where --until is: " + reader_.fault();
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

std::string letter_scan::each(std::function<bool(letter const&)> const& take)
{
    reader_.begin(topic_, ranges_);
    auto heard_at = std::chrono::steady_clock::now();
    constexpr auto stopped = "stopped; what was done is marked, and the same command goes on";
    while (!reader_.finished()) {
        if (stop_.requested()) return stopped;
        auto records = reader_.poll(100ms, records_at_once);
        auto const now = std::chrono::steady_clock::now();
        if (records.empty() && now - heard_at > silence_max) return "the brokers fell silent: " + reader_.fault();
        if (!records.empty()) heard_at = now;
        for (auto& record : records) {
            if (stop_.requested()) return stopped;
            letter one{std::move(record), {}, std::nullopt};
            one.note = read_dead_letter(one.record.view());
            auto const mark = known_.find({one.record.partition, one.record.offset});
            if (mark != known_.end()) one.mark = mark->second;
            if (means(one) && !take(one)) return {};
        }
    }
    return {};
}

bool letter_scan::means(letter const& one) const
{
    if (one.mark && !filter_.closed_too) return false;
    if (!places_.empty() && !places_.contains({one.record.partition, one.record.offset})) return false;
    if (!filter_.user.empty() && one.record.key != filter_.user) return false;
    return filter_.reasons.empty()
        || std::find(filter_.reasons.begin(), filter_.reasons.end(), one.note.reason) != filter_.reasons.end();
}

std::string letter_scan::mark(letter const& one, dead_letter_mark mark)
{
    auto const& cluster = reader_.cluster();
    auto const good = marks_.put(cluster, topic_, {one.record.partition, one.record.offset}, mark)
        && marks_.tidy(cluster, topic_, extents_);
    return good ? std::string{} : "the database: " + marks_.fault();
}

std::int64_t letter_scan::open_count() const
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
