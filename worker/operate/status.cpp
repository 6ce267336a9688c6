#include "common/clerk/api_client.hpp"
#include "worker/apply/store.hpp"
#include "worker/consume/topics.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
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
constexpr auto response_wait = 3s;

constexpr auto footer =
    R"(Shows the lag of each topic, open dead letters and value conflicts. A line that starts with ! needs
action and says what to do.

Examples:
  clerk-worker status
  clerk-worker status --admin http://127.0.0.1:9465     also one worker's readiness, rate and pauses
  clerk-worker status --json

Exit codes: 0 nothing to do, 1 failed, 2 wrong usage or configuration, 3 something needs action.)";

struct status_options
{
    std::string admin;
    bool json{false};
};

// The sum of each metric over its labels, by name. clerk_worker_paused keeps its labels: they name the cause.
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
        , dead_letters_{config, {}}
    {
    }

    int run()
    {
        status_["version"] = std::string{build_version} + " (" + build_commit + ")";
        auto done = read_topics();
        if (done) done = read_dead_letters();
        if (done) done = read_database();
        if (done && !options_.admin.empty()) read_worker();
        status_["attention"] = attention_;
        if (options_.json)
            std::cout << status_.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
        else
            print();
        if (!done) {
            std::cerr << "status: " << done.error().what << '\n';
            return exit_failed;
        }
        return attention_.empty() ? exit_done : exit_found;
    }

private:
    void needs_action(std::string what) { attention_.push_back(std::move(what)); }

    result<void, failure> read_topics()
    {
        auto& reader = dead_letters_.reader();
        if (reader.cluster().empty()) return failure{"cannot reach a broker of KAFKA_BROKERS: " + reader.fault()};
        status_["cluster"] = reader.cluster();
        if (auto const checked = store_.check(); checked.status != apply_status::applied)
            return failure{"cannot use the database: " + checked.detail};
        auto const known = store_.positions(reader.cluster());
        if (!known) return failure{"cannot read the stored positions from the database"};
        auto const report = kafka_topics{config_.kafka}.look(config_.topics.all());
        if (!report.fault.empty()) return failure{"cannot describe the topics: " + report.fault};
        for (auto const& state : report.topics) {
            ordered_json topic{{"name", state.name}, {"cleanup_policy", state.cleanup_policy}};
            if (state.partitions == 0)
                needs_action("topic " + state.name + " is missing; run `clerk-worker topics`");
            else if (!state.cleanup_policy.empty() && state.cleanup_policy != "delete")
                needs_action(
                    "topic " + state.name + " has cleanup.policy " + state.cleanup_policy + ", but must have delete");
            if (state.partitions > 0 && state.name != config_.topics.dead_letters) {
                auto const extents = reader.extents(state.name);
                if (!extents) return failure{"cannot read the offsets of topic " + state.name + ": " + reader.fault()};
                add_lag(topic, *extents, *known);
            }
            status_["topics"].push_back(std::move(topic));
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
            ordered_json state{{"partition", extent.partition}, {"first", extent.first}, {"next", extent.next}};
            state["position"] = begun ? ordered_json(position) : ordered_json(nullptr);
            state["lag"] = behind;
            state["lost"] = passed;
            topic["partitions"].push_back(std::move(state));
        }
        topic["lag"] = lag;
        topic["lost"] = lost;
        if (lost > 0)
            needs_action("retention deleted up to " + std::to_string(lost) + " events of " + name
                + " before they were applied; run `clerk-worker backfill`, then `clerk-worker reconcile`");
    }

    result<void, failure> read_dead_letters()
    {
        if (auto const opened = dead_letters_.open(); !opened) return opened;
        std::map<std::string, std::int64_t> by_reason;
        auto const done = dead_letters_.each([&](dead_letter const& one) -> result<bool, failure> {
            ++by_reason[std::string{one.note.reason}];
            return true;
        });
        status_["dead_letters"] = {{"open", dead_letters_.open_count()}, {"by_reason", by_reason}};
        if (dead_letters_.open_count() > 0)
            needs_action(
                std::to_string(dead_letters_.open_count()) + " dead letters are open; run `clerk-worker dlq list`");
        return done;
    }

    result<void, failure> read_database()
    {
        auto const summary = rows_.summary(store_.current_mapping());
        if (!summary) return summary.error();
        status_["database"] = ordered_json::parse(*summary);
        auto const conflicts = status_["database"]["conflicts"].get<std::int64_t>();
        if (conflicts > 0)
            needs_action(std::to_string(conflicts)
                + " users wait for an e-mail or username that another user has; list them: select "
                  "clerk_id, waits_for from clerk_sync.user_state where waits_for is not null");
        auto const other = status_["database"]["other_mapping"].get<std::int64_t>();
        if (other > 0)
            needs_action("the rows of " + std::to_string(other)
                + " users were written with another mapping or configuration; a user's next event updates them, or "
                  "run `clerk-worker replay --from beginning --reapply` to update all now");
        return {};
    }

    void read_worker()
    {
        clerk::api_client client{{options_.admin}};
        auto const ask = [&](char const* path) {
            return client.get(path, std::chrono::steady_clock::now() + response_wait);
        };
        auto& worker = status_["worker"];
        auto const ready = ask("/readyz");
        if (ready.outcome != clerk::api_outcome::answered) {
            worker["reachable"] = false;
            return needs_action(
                "the worker at " + options_.admin + " does not answer: " + std::string{clerk::to_text(ready.outcome)});
        }
        worker["ready"] = ready.status == 200;
        if (ready.status != 200)
            needs_action("the worker is not ready; its /readyz names the failing check, the runbook the fix");
        auto const before = read_metrics(ask("/metrics").body);
        static_cast<void>(dead_letters_.stop().wait_for(rate_window));
        auto const after = read_metrics(ask("/metrics").body);
        auto const sum = [](std::map<std::string, double> const& of, char const* name) {
            auto const found = of.find(name);
            return found == of.end() ? 0.0 : found->second;
        };
        worker["events_per_second"] =
            sum(after, "clerk_worker_events_total") - sum(before, "clerk_worker_events_total");
        auto const aged = sum(after, "clerk_worker_event_age_seconds_count");
        worker["event_age_seconds_mean"] = aged > 0 ? sum(after, "clerk_worker_event_age_seconds_sum") / aged : 0.0;
        worker["paused"] = ordered_json::array();
        for (auto const& [name, value] : after) {
            if (!name.starts_with("clerk_worker_paused{") || value == 0) continue;
            worker["paused"].push_back(name.substr(std::string_view{"clerk_worker_paused"}.size()));
            needs_action("the worker is paused " + name.substr(std::string_view{"clerk_worker_paused"}.size())
                + "; its /readyz has the reason");
        }
    }

    void print() const
    {
        text_table lines{{"TOPIC", "LAG", "LOST"}};
        if (status_.contains("topics")) {
            for (auto const& topic : status_["topics"]) {
                if (topic.contains("lag")) lines.add({topic["name"], topic["lag"].dump(), topic["lost"].dump()});
            }
        }
        std::cout << "clerk-worker " << build_version << '\n' << lines.text();
        for (auto const* const part : {"dead_letters", "database", "worker"}) {
            if (status_.contains(part)) std::cout << part << "  " << status_[part].dump() << '\n';
        }
        for (auto const& one : attention_)
            std::cout << "!  " << one << '\n';
        if (attention_.empty()) std::cout << "status: nothing to do\n";
    }

    worker_config const& config_;
    status_options options_;
    strapi_store store_;
    operator_rows rows_;
    dead_letter_scan dead_letters_;
    ordered_json status_;
    std::vector<std::string> attention_;
};

}

subcommand add_status(CLI::App& app)
{
    auto const options = std::make_shared<status_options>();
    auto* const command = app.add_subcommand("status", "Show lag, dead letters, value conflicts and what needs action");
    command->footer(footer);
    command->add_option(
        "--admin", options->admin, "The URL of a worker's admin listener, such as http://127.0.0.1:9465");
    command->add_flag("--json", options->json, "Print one JSON object");
    return {command, [options](config_source& source) {
                if (!options->admin.empty() && !options->admin.starts_with("http://"))
                    throw config_error{"--admin " + options->admin + " is not a URL such as http://127.0.0.1:9465"};
                auto const config = load_config(source, {});
                return status_run{config, *options}.run();
            }};
}

}
