#include "common/clerk/api_client.hpp"
#include "worker/apply/store.hpp"
#include "worker/consume/topics.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
#include "worker/operate/operator_commands.hpp"
#include "worker/operate/operator_rows.hpp"
#include "worker/operate/text_table.hpp"

#include <build_version.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <map>
#include <memory>
#include <sstream>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr auto rate_window = 1s;
constexpr auto answer_wait = 3s;

constexpr auto footer = R"(Where every topic stands, what waits for a person, and what to type next.

Examples:
  clerk-worker status
  clerk-worker status --admin http://127.0.0.1:9465     with a worker's readiness, rate and pauses
  clerk-worker status --json

Exit codes: 0 nothing to do, 1 failed, 2 wrong usage or configuration, 3 something needs a person.)";

struct status_options
{
    std::string admin;
    bool json{false};
};

// The sums of the metrics that we tell, by name; paused causes with their label.
std::map<std::string, double> read_metrics(std::string const& text)
{
    std::map<std::string, double> sums;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        auto const space = line.rfind(' ');
        if (line.starts_with('#') || space == std::string::npos) continue;
        auto name = line.substr(0, std::min(line.find('{'), space));
        if (name == "clerk_worker_paused") name = line.substr(0, space);
        sums[name] += std::strtod(line.c_str() + space, nullptr);
    }
    return sums;
}

class status_run
{
public:
    status_run(worker_config const& config, status_options options)
        : config_{config}
        , options_{std::move(options)}
        , store_{config.conninfo, config.store}
        , rows_{config.conninfo, config.store.sql.database_schema}
        , letters_{config, {}}
    {
    }

    int run()
    {
        told_["version"] = std::string{build_version} + " (" + build_commit + ")";
        auto fault = look_at_topics();
        if (fault.empty()) fault = look_at_letters();
        if (fault.empty()) fault = look_at_database();
        if (fault.empty() && !options_.admin.empty()) look_at_worker();
        told_["attention"] = attention_;
        if (options_.json)
            std::cout << told_.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
        else
            print();
        if (!fault.empty()) {
            std::cerr << "status: " << fault << '\n';
            return exit_failed;
        }
        return attention_.empty() ? exit_done : exit_found;
    }

private:
    void attend(std::string what) { attention_.push_back(std::move(what)); }

    std::string look_at_topics()
    {
        auto& reader = letters_.reader();
        if (reader.cluster().empty()) return "no broker of KAFKA_BROKERS answers: " + reader.fault();
        told_["cluster"] = reader.cluster();
        if (auto const checked = store_.check(); checked.status != apply_status::applied)
            return "the database: " + checked.detail;
        auto const known = store_.positions(reader.cluster());
        if (!known) return "the database does not tell the positions";
        auto const report = kafka_topics{config_.kafka}.look(config_.topics.all());
        if (!report.fault.empty()) return "the brokers: " + report.fault;
        for (auto const& state : report.topics) {
            ordered_json topic{{"name", state.name}, {"cleanup_policy", state.cleanup_policy}};
            if (state.partitions == 0)
                attend("topic " + state.name + " is missing: run `clerk-worker topics`");
            else if (!state.cleanup_policy.empty() && state.cleanup_policy != "delete")
                attend("topic " + state.name + " has cleanup.policy " + state.cleanup_policy + ": it must be delete");
            if (state.partitions > 0 && state.name != config_.topics.dead_letters) {
                auto const extents = reader.extents(state.name);
                if (!extents) return "the brokers do not say what " + state.name + " holds";
                add_lag(topic, *extents, *known);
            }
            told_["topics"].push_back(std::move(topic));
        }
        return {};
    }

    void add_lag(
        ordered_json& topic, std::vector<partition_extent> const& extents, std::vector<partition_position> const& known)
    {
        auto const name = topic["name"].get<std::string>();
        std::int64_t lag = 0;
        std::int64_t lost = 0;
        topic["partitions"] = ordered_json::array();
        for (auto const& extent : extents) {
            auto const found = std::find_if(known.begin(), known.end(),
                [&](partition_position const& one) { return one.topic == name && one.partition == extent.partition; });
            auto const begun = found != known.end();
            auto const position = begun ? found->next : 0;
            auto const behind = std::max<std::int64_t>(0, extent.next - std::max(position, extent.first));
            auto const passed = begun ? std::max<std::int64_t>(0, extent.first - position) : 0;
            lag += behind;
            lost += passed;
            ordered_json told{{"partition", extent.partition}, {"first", extent.first}, {"next", extent.next}};
            told["position"] = begun ? ordered_json(position) : ordered_json(nullptr);
            told["lag"] = behind;
            told["lost"] = passed;
            topic["partitions"].push_back(std::move(told));
        }
        topic["lag"] = lag;
        topic["lost"] = lost;
        if (lost > 0)
            attend("retention of " + name + " passed the position: up to " + std::to_string(lost)
                + " events were never applied; run `clerk-worker backfill`");
    }

    std::string look_at_letters()
    {
        if (auto fault = letters_.open(); !fault.empty()) return fault;
        std::map<std::string, std::int64_t> by_reason;
        auto fault = letters_.each([&](letter const& one) {
            ++by_reason[std::string{one.note.reason}];
            return true;
        });
        told_["dead_letters"] = {{"open", letters_.open_count()}, {"by_reason", by_reason}};
        if (letters_.open_count() > 0)
            attend(std::to_string(letters_.open_count()) + " dead letters are open: see `clerk-worker dlq list`");
        return fault;
    }

    std::string look_at_database()
    {
        auto const summary = rows_.summary(store_.current_mapping());
        if (!summary) return "the database: " + rows_.fault();
        told_["database"] = ordered_json::parse(*summary);
        auto const conflicts = told_["database"]["conflicts"].get<std::int64_t>();
        if (conflicts > 0)
            attend(std::to_string(conflicts) + " users do without an e-mail or username that somebody else has");
        auto const other = told_["database"]["other_mapping"].get<std::int64_t>();
        if (other > 0)
            attend(std::to_string(other)
                + " users' rows were written under another mapping or configuration; they "
                  "follow with their next event, or now by `clerk-worker replay --from "
                  "beginning --reapply`");
        return {};
    }

    void look_at_worker()
    {
        clerk::api_client client{{options_.admin}};
        auto const ask = [&](char const* path) {
            return client.get(path, std::chrono::steady_clock::now() + answer_wait);
        };
        auto& told = told_["worker"];
        auto const ready = ask("/readyz");
        if (ready.outcome != clerk::api_outcome::answered) {
            told["reachable"] = false;
            return attend(
                "the worker at " + options_.admin + " does not answer: " + std::string{clerk::to_text(ready.outcome)});
        }
        told["ready"] = ready.status == 200;
        if (ready.status != 200) attend("the worker is not ready: see its /readyz, and the runbook");
        auto const before = read_metrics(ask("/metrics").body);
        static_cast<void>(letters_.stop().wait_for(rate_window));
        auto const after = read_metrics(ask("/metrics").body);
        auto const sum = [](std::map<std::string, double> const& of, char const* name) {
            auto const found = of.find(name);
            return found == of.end() ? 0.0 : found->second;
        };
        told["events_per_second"] = sum(after, "clerk_worker_events_total") - sum(before, "clerk_worker_events_total");
        auto const aged = sum(after, "clerk_worker_event_age_seconds_count");
        told["event_age_seconds_mean"] = aged > 0 ? sum(after, "clerk_worker_event_age_seconds_sum") / aged : 0.0;
        told["paused"] = ordered_json::array();
        for (auto const& [name, value] : after) {
            if (!name.starts_with("clerk_worker_paused{") || value == 0) continue;
            told["paused"].push_back(name.substr(std::string_view{"clerk_worker_paused"}.size()));
            attend("the worker pauses " + name.substr(std::string_view{"clerk_worker_paused"}.size())
                + ": its /readyz says why");
        }
    }

    void print() const
    {
        text_table lines{{"TOPIC", "LAG", "LOST"}};
        if (told_.contains("topics")) {
            for (auto const& topic : told_["topics"]) {
                if (topic.contains("lag")) lines.add({topic["name"], topic["lag"].dump(), topic["lost"].dump()});
            }
        }
        std::cout << "clerk-worker " << build_version << '\n' << lines.text();
        for (auto const* const part : {"dead_letters", "database", "worker"}) {
            if (told_.contains(part)) std::cout << part << "  " << told_[part].dump() << '\n';
        }
        for (auto const& one : attention_)
            std::cout << "!  " << one << '\n';
        if (attention_.empty()) std::cout << "status: nothing to do\n";
    }

    worker_config const& config_;
    status_options options_;
    strapi_store store_;
    operator_rows rows_;
    letter_scan letters_;
    ordered_json told_;
    std::vector<std::string> attention_;
};

}

operator_command add_status(CLI::App& app)
{
    auto const options = std::make_shared<status_options>();
    auto* const command = app.add_subcommand("status", "Lag, dead letters, conflicts: what needs a person?");
    command->footer(footer);
    command->add_option("--admin", options->admin, "A worker's admin listener, such as http://127.0.0.1:9465");
    command->add_flag("--json", options->json, "One JSON object instead of lines");
    return {command, [options](config_source& source) {
                if (!options->admin.empty() && !options->admin.starts_with("http://"))
                    throw config_error{"--admin " + options->admin + " is not a URL such as http://127.0.0.1:9465"};
                auto const config = load_config(source, {});
                return status_run{config, *options}.run();
            }};
}

}
