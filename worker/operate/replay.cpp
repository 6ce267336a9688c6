#include "common/event/envelope.hpp"
#include "worker/consume/topic_reader.hpp"
#include "worker/operate/clock.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/given_time.hpp"
#include "worker/operate/progress.hpp"
#include "worker/operate/replay_pass.hpp"
#include "worker/operate/replay_range.hpp"
#include "worker/operate/topic_scan.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{

namespace
{

constexpr std::size_t batch_records_min = 1000; // a replay is faster with larger batches than live events

constexpr auto footer =
    R"(Reads events from Kafka again and applies them with the merge rule of live events: older events change nothing,
deleted users stay deleted. May run beside the workers; their stored positions do not change.

Examples:
  clerk-worker replay --from beginning                      rebuild emptied tables from the events that Kafka still has
  clerk-worker replay --from 2h --dry-run                   show what the events of the last two hours would change
  clerk-worker replay --from beginning --reapply            after a mapping change: write the rows of all users again
  clerk-worker replay --from beginning --user user_2abc     one user's events
  clerk-worker replay --topic snapshots --from 3:12345      one partition, from an offset

Ctrl-C stops after the current batch and prints the commands that continue. A replay does not restore Strapi's row ids
or manual edits.
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
    std::vector<partition_range> ranges; // still to be read
};

replay_point point_of(char const* flag, std::string const& text)
{
    auto const point = parse_replay_point(text, now_ms());
    if (!point)
        throw config_error{std::string{flag} + " " + text + " is not `beginning`, `end`, an offset (12345, 3:12345) or "
            + given_time_forms};
    return *point;
}

// The order for a rebuild: user events first, because they have the most data.
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
                "--topic " + one + " is not user-events, user-provisioning, snapshots or the name of such a topic"};
    }
    return chosen;
}

bool names_offsets(replay_point const& point)
{
    return std::holds_alternative<same_offset>(point) || std::holds_alternative<partition_offsets>(point);
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
            throw config_error{"an offset needs one topic: add --topic, such as --topic user-events"};
        if (!options_.user.empty() && !is_user_id(options_.user))
            throw config_error{"--user " + options_.user + " is not a Clerk user's id (user_...)"};
    }

    int run()
    {
        auto done = prepare();
        if (done) done = read_all();
        report(done);
        if (!done) return exit_failed;
        return pass_.totals().refused > 0 ? exit_found : exit_done;
    }

private:
    result<void, failure> prepare()
    {
        if (auto const checked = store_.check(); checked.status != apply_status::applied)
            return failure{"cannot use the database: " + checked.detail};
        if (reader_.cluster().empty()) return failure{"cannot reach a broker of KAFKA_BROKERS: " + reader_.fault()};
        for (auto const& topic : topics_) {
            if (auto const planned = plan(topic); !planned) return planned;
        }
        return {};
    }

    result<void, failure> plan(std::string const& topic)
    {
        auto const extents = reader_.extents(topic);
        if (!extents) return failure{"cannot read the offsets of topic " + topic + ": " + reader_.fault()};
        if (extents->empty() && !options_.topics.empty()) return failure{"topic " + topic + " does not exist"};
        auto const begin = offsets_of(topic, *extents, from_, &partition_extent::first);
        auto const end = offsets_of(topic, *extents, to_, &partition_extent::next);
        if (!begin || !end)
            return failure{"cannot find the offsets of --from and --to in topic " + topic + ": " + reader_.fault()};
        topic_plan planned{topic, {}};
        auto expired = false;
        for (auto const& extent : *extents) {
            auto const from = begin->find(extent.partition);
            auto const until = end->find(extent.partition);
            if (from == begin->end() || until == end->end()) continue;
            expired = expired || (extent.first > 0 && from->second <= extent.first);
            planned.ranges.push_back({extent.partition, std::clamp(from->second, extent.first, extent.next),
                std::clamp(until->second, extent.first, extent.next)});
        }
        if (expired)
            std::cerr
                << "replay: " << topic
                << " no longer has its oldest records; `clerk-worker backfill` reads the users from Clerk instead\n";
        plans_.push_back(std::move(planned));
        return {};
    }

    // The offset of a point in each partition that it applies to.
    std::optional<std::map<std::int32_t, std::int64_t>> offsets_of(std::string const& topic,
        std::vector<partition_extent> const& extents, replay_point const& point, std::int64_t partition_extent::*edge)
    {
        if (auto const* time = std::get_if<point_in_time>(&point))
            return reader_.offsets_at(topic, extents, time->time_ms);
        if (auto const* named = std::get_if<partition_offsets>(&point)) return named->by_partition;
        std::map<std::int32_t, std::int64_t> found;
        auto const* offset = std::get_if<same_offset>(&point);
        for (auto const& extent : extents)
            found[extent.partition] = offset != nullptr ? offset->offset : extent.*edge;
        return found;
    }

    result<void, failure> read_all()
    {
        std::uint64_t total = 0;
        for (auto const& planned : plans_) {
            for (auto const& range : planned.ranges)
                total += static_cast<std::uint64_t>(range.size());
        }
        progress shown{options_.dry_run ? "replay (dry run)" : "replay", "events", total};
        while (!plans_.empty()) {
            auto& planned = plans_.front();
            auto const done = read_topic({planned.topic, planned.ranges, batch_records_}, reader_, stop_,
                [&](std::vector<event_record>& records) -> result<bool, failure> {
                    if (auto const taken = pass_.take(records); !taken) return taken.error();
                    planned.ranges = reader_.left();
                    shown.advance(records.size());
                    return true;
                });
            if (!done) return done;
            plans_.erase(plans_.begin());
        }
        return {};
    }

    // `2h` would be another time when the command runs again.
    [[nodiscard]] std::string to_text() const
    {
        auto const* const time = std::get_if<point_in_time>(&to_);
        if (time == nullptr) return options_.to;
        return time_text(time->time_ms);
    }

    // One command per unfinished topic, in order.
    [[nodiscard]] std::vector<std::string> commands_to_continue() const
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

    void report(result<void, failure> const& done) const
    {
        auto const& totals = pass_.totals();
        if (options_.json) return report_json(done);
        std::cout << lines_of(totals, options_.dry_run);
        if (done) {
            std::cout << "replay: " << totals.read << " events read" << (options_.dry_run ? ", nothing written" : "")
                      << ", done\n";
            return;
        }
        std::cerr << "replay: " << done.error().what << '\n';
        for (auto const& line : commands_to_continue())
            std::cerr << "to continue:  " << line << '\n';
    }

    void report_json(result<void, failure> const& done) const
    {
        auto const& totals = pass_.totals();
        auto summary = json_of(totals, options_.dry_run);
        summary["done"] = done.has_value();
        if (!done) {
            summary["fault"] = done.error().what;
            summary["to_go_on"] = commands_to_continue();
        }
        std::cout << summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
    }

    stop_signal stop_;
    replay_options options_;
    replay_point from_;
    replay_point to_;
    std::vector<std::string> topics_;
    std::size_t batch_records_;
    strapi_store store_;
    replay_pass pass_;
    kafka_topic_reader reader_;
    std::vector<topic_plan> plans_;
};

}

subcommand add_replay(CLI::App& app)
{
    auto const options = std::make_shared<replay_options>();
    auto* const command = app.add_subcommand("replay", "Read events again and apply them with the merge rule");
    command->footer(footer);
    command
        ->add_option(
            "--from", options->from, "beginning, an offset (12345, 3:12345) or a time (2026-11-23T04:05:06Z, 2h)")
        ->required();
    command->add_option("--to", options->to, "Where to stop, not included; `end` or the same forms")
        ->capture_default_str();
    command->add_option(
        "--topic", options->topics, "user-events, user-provisioning, snapshots; may be repeated (default: all)");
    command->add_option("--user", options->user, "Only events of this Clerk user");
    command->add_flag(
        "--reapply", options->reapply, "Write rows again from the stored state, even if no event is newer");
    command->add_flag("--dry-run", options->dry_run, "Change nothing; count what each event would do");
    command->add_flag("--json", options->json, "Print one JSON object");
    return {command, [options](config_source& source) { return replay_run{load_config(source, {}), *options}.run(); }};
}

}
