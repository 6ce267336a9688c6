#include "common/event/envelope.hpp"
#include "common/event/time_text.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/given_time.hpp"
#include "worker/operate/operator_commands.hpp"
#include "worker/operate/progress.hpp"
#include "worker/operate/replay_pass.hpp"
#include "worker/operate/replay_range.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;

constexpr std::size_t batch_records_min = 1000; // one replays faster in larger batches than one lives
constexpr auto silence_max = 30s; // of the brokers, before it is called a fault

constexpr auto footer =
    R"(What is read goes through the same rule as live events: older events change nothing, deleted users stay deleted.
The live workers and their positions are not touched; it may run beside them.

Examples:
  clerk-worker replay --from beginning                      rebuild emptied tables from what Kafka keeps
  clerk-worker replay --from 2h --dry-run                   what would the last two hours change?
  clerk-worker replay --from beginning --reapply            the mapping changed: write everybody's rows again
  clerk-worker replay --from beginning --user user_2abc     one user's events
  clerk-worker replay --topic snapshots --from 3:12345      one partition, from an offset

Ctrl-C ends after the batch in hand and says how to go on. Row ids and edits by hand do not come back.
Exit codes: 0 done, 1 failed or stopped, 2 wrong usage or configuration, 3 the database refused an event.)";

struct replay_options
{
    std::string from;
    std::string to{"end"};
    std::vector<std::string> topics;
    std::string user;
    bool reapply{false};
    bool dry_run{false};
    bool json{false};
};

struct topic_plan
{
    std::string topic;
    std::vector<partition_range> ranges; // of what is still to be read
};

std::int64_t now_ms()
{
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

log_point point_of(char const* flag, std::string const& text)
{
    auto const point = parse_log_point(text, now_ms());
    if (!point)
        throw config_error{std::string{flag} + " " + text + " is not `beginning`, `end`, an offset (12345, 3:12345) or "
            + given_time_forms};
    return *point;
}

// In the order in which a rebuild wants them: webhooks know most.
std::vector<std::string> chosen_topics(topic_names const& names, std::vector<std::string> const& wanted)
{
    if (wanted.empty()) return {names.user_events, names.provisioning, names.snapshots};
    std::vector<std::string> chosen;
    for (auto const& one : wanted) {
        if (one == names.user_events || one == "user-events")
            chosen.push_back(names.user_events);
        else if (one == names.provisioning || one == "user-provisioning")
            chosen.push_back(names.provisioning);
        else if (one == names.snapshots || one == "snapshots")
            chosen.push_back(names.snapshots);
        else
            throw config_error{
                "--topic " + one + " is not user-events, user-provisioning, snapshots or the name of one"};
    }
    return chosen;
}

bool names_offsets(log_point const& point)
{
    return std::holds_alternative<log_offset>(point) || std::holds_alternative<log_offsets>(point);
}

class replay_run
{
public:
    replay_run(worker_config const& config, replay_options options)
        : options_{std::move(options)}
        , from_{point_of("--from", options_.from)}
        , to_{point_of("--to", options_.to)}
        , topics_{chosen_topics(config.topics, options_.topics)}
        , batch_records_{std::max(config.batch_records, batch_records_min)}
        , store_{config.conninfo, config.store}
        , pass_{store_, stop_, {{options_.reapply, options_.dry_run}, options_.user, decoding_of(config)}}
        , reader_{config.kafka}
    {
        if ((names_offsets(from_) || names_offsets(to_)) && topics_.size() != 1)
            throw config_error{"offsets are a topic's own: say which with --topic user-events, for instance"};
        if (!options_.user.empty() && !is_user_id(options_.user))
            throw config_error{"--user " + options_.user + " is not a Clerk user's id (user_...)"};
    }

    int run()
    {
        auto fault = prepare();
        if (fault.empty()) fault = read_all();
        tell(fault);
        if (!fault.empty()) return exit_failed;
        return pass_.totals().refused > 0 ? exit_found : exit_done;
    }

private:
    std::string prepare()
    {
        if (auto const checked = store_.check(); checked.status != apply_status::applied)
            return "the database: " + checked.detail;
        if (reader_.cluster().empty()) return "no broker of KAFKA_BROKERS answers: " + reader_.fault();
        for (auto const& topic : topics_) {
            if (auto fault = plan(topic); !fault.empty()) return fault;
        }
        return {};
    }

    std::string plan(std::string const& topic)
    {
        auto const extents = reader_.extents(topic);
        if (!extents) return "the brokers do not say what " + topic + " holds: " + reader_.fault();
        if (extents->empty() && !options_.topics.empty()) return "there is no topic " + topic;
        auto const begin = places(topic, *extents, from_, &partition_extent::first);
        auto const end = places(topic, *extents, to_, &partition_extent::next);
        if (!begin || !end) return "the brokers do not say where that is in " + topic + ": " + reader_.fault();
        topic_plan planned{topic, {}};
        auto forgotten = false;
        for (auto const& extent : *extents) {
            auto const from = begin->find(extent.partition);
            auto const until = end->find(extent.partition);
            if (from == begin->end() || until == end->end()) continue;
            forgotten = forgotten || (extent.first > 0 && from->second <= extent.first);
            planned.ranges.push_back({extent.partition, std::clamp(from->second, extent.first, extent.next),
                std::clamp(until->second, extent.first, extent.next)});
        }
        if (forgotten)
            std::cerr << "replay: " << topic << " no longer has its oldest records; a backfill tells what they said\n";
        plans_.push_back(std::move(planned));
        return {};
    }

    // Where a point is in each partition that it means.
    std::optional<std::map<std::int32_t, std::int64_t>> places(std::string const& topic,
        std::vector<partition_extent> const& extents, log_point const& point, std::int64_t partition_extent::*edge)
    {
        if (auto const* time = std::get_if<log_time>(&point)) return reader_.offsets_at(topic, extents, time->time_ms);
        if (auto const* named = std::get_if<log_offsets>(&point)) return named->by_partition;
        std::map<std::int32_t, std::int64_t> found;
        auto const* offset = std::get_if<log_offset>(&point);
        for (auto const& extent : extents)
            found[extent.partition] = offset != nullptr ? offset->offset : extent.*edge;
        return found;
    }

    std::string read_all()
    {
        std::uint64_t total = 0;
        for (auto const& planned : plans_) {
            for (auto const& range : planned.ranges)
                total += static_cast<std::uint64_t>(range.size());
        }
        progress shown{options_.dry_run ? "replay (dry run)" : "replay", "events", total};
        while (!plans_.empty()) {
            reader_.begin(plans_.front().topic, plans_.front().ranges);
            if (auto fault = read_topic(shown); !fault.empty()) return fault;
            plans_.erase(plans_.begin());
        }
        return {};
    }

    std::string read_topic(progress& shown)
    {
        auto heard_at = std::chrono::steady_clock::now();
        while (!reader_.finished()) {
            if (stop_.requested()) return "stopped";
            auto const records = reader_.poll(100ms, batch_records_);
            auto const now = std::chrono::steady_clock::now();
            if (records.empty()) {
                if (now - heard_at > silence_max) return "the brokers fell silent: " + reader_.fault();
                continue;
            }
            heard_at = now;
            if (auto fault = pass_.take(records); !fault.empty()) return fault;
            plans_.front().ranges = reader_.left();
            shown.advance(records.size());
        }
        return {};
    }

    // `2h` would be another time when it is typed again.
    [[nodiscard]] std::string to_text() const
    {
        auto const* const time = std::get_if<log_time>(&to_);
        if (time == nullptr) return options_.to;
        return rfc3339(std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{time->time_ms}});
    }

    // One command for each topic that is not through, in order.
    [[nodiscard]] std::vector<std::string> ways_on() const
    {
        std::vector<std::string> commands;
        for (auto const& planned : plans_) {
            std::string from;
            for (auto const& range : planned.ranges) {
                if (range.size() > 0)
                    from +=
                        (from.empty() ? "" : ",") + std::to_string(range.partition) + ":" + std::to_string(range.from);
            }
            if (from.empty()) continue;
            auto line = "clerk-worker replay --topic " + planned.topic + " --from " + from;
            if (options_.to != "end") line += " --to " + to_text();
            if (!options_.user.empty()) line += " --user " + options_.user;
            if (options_.reapply) line += " --reapply";
            if (options_.dry_run) line += " --dry-run";
            commands.push_back(line);
        }
        return commands;
    }

    void tell(std::string const& fault) const
    {
        auto const& totals = pass_.totals();
        if (options_.json) return tell_json(fault);
        std::cout << lines_of(totals, options_.dry_run);
        if (fault.empty()) {
            std::cout << "replay: " << totals.read << " events read" << (options_.dry_run ? ", nothing written" : "")
                      << ", done\n";
            return;
        }
        std::cerr << "replay: " << fault << '\n';
        for (auto const& line : ways_on())
            std::cerr << "to go on:  " << line << '\n';
    }

    void tell_json(std::string const& fault) const
    {
        auto const& totals = pass_.totals();
        auto told = json_of(totals, options_.dry_run);
        told["done"] = fault.empty();
        if (!fault.empty()) {
            told["fault"] = fault;
            told["to_go_on"] = ways_on();
        }
        std::cout << told.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    }

    stop_signal stop_;
    replay_options options_;
    log_point from_;
    log_point to_;
    std::vector<std::string> topics_;
    std::size_t batch_records_;
    strapi_store store_;
    replay_pass pass_;
    kafka_topic_reader reader_;
    std::vector<topic_plan> plans_;
};

}

operator_command add_replay(CLI::App& app)
{
    auto const options = std::make_shared<replay_options>();
    auto* const command = app.add_subcommand("replay", "Read the log again and apply it by the same rule");
    command->footer(footer);
    command
        ->add_option(
            "--from", options->from, "beginning, an offset (12345, 3:12345) or a time (2026-11-23T04:05:06Z, 2h)")
        ->required();
    command->add_option("--to", options->to, "Up to, not including: the same forms")->capture_default_str();
    command->add_option(
        "--topic", options->topics, "user-events, user-provisioning, snapshots; may be repeated (default: all)");
    command->add_option("--user", options->user, "Only this Clerk user");
    command->add_flag(
        "--reapply", options->reapply, "Write rows again from the stored states, also when nothing is newer");
    command->add_flag("--dry-run", options->dry_run, "Change nothing, count what would become of the events");
    command->add_flag("--json", options->json, "One JSON object instead of lines");
    return {command, [options](config_source& source) { return replay_run{load_config(source, {}), *options}.run(); }};
}

}
