#include "common/event/time_text.hpp"
#include "worker/apply/store.hpp"
#include "worker/operate/clerk_access.hpp"
#include "worker/operate/clerk_pages.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
#include "worker/operate/masked_json.hpp"
#include "worker/operate/operator_commands.hpp"
#include "worker/operate/operator_rows.hpp"
#include "worker/operate/snapshot_topic.hpp"
#include "worker/operate/text_table.hpp"
#include "worker/operate/user_page.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{

namespace
{

using namespace std::chrono_literals;
using nlohmann::ordered_json;

constexpr auto silence_max = 30s;
constexpr auto publish_patience = 30s;

constexpr auto footer =
    R"(Everything that is known of one Clerk user: the state by which events are judged, Strapi's rows, his open dead
letters, and every event that Kafka still holds, as the rule judges it now. Personal data is masked.

Examples:
  clerk-worker user user_2abc                 why does he look as he does?
  clerk-worker user user_2abc --reveal        with e-mail and names
  clerk-worker user user_2abc --revive        he was deleted, but Clerk has him: lift the tombstone

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 he has open dead letters.)";

struct user_options
{
    std::string id;
    std::string instance;
    bool revive{false};
    bool reveal{false};
    bool all_partitions{false};
    bool json{false};
};

int fail(std::string const& fault)
{
    std::cerr << "user: " << fault << '\n';
    return exit_failed;
}

std::string time_text(std::int64_t time_ms)
{
    return time_ms == 0 ? "-"
                        : rfc3339(std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{time_ms}});
}

void mask_names(ordered_json& value)
{
    constexpr auto personal =
        std::to_array<std::string_view>({"email", "username", "full_name", "profile_name", "name", "waits_for"});
    for (auto& [name, below] : value.items()) {
        if (below.is_structured() && name != "waits_for") {
            if (name != "roles") mask_names(below);
        } else if (std::find(personal.begin(), personal.end(), name) != personal.end()) {
            if (below.is_string()) below = masked_text(std::string{below});
            if (below.is_array()) below = std::to_string(below.size()) + " values";
        }
    }
}

ordered_json parsed(std::string const& text)
{
    return text.empty() ? ordered_json(nullptr) : ordered_json::parse(text);
}

ordered_json rows_of(user_rows const& rows, bool reveal)
{
    ordered_json told{{"state", parsed(rows.state)}, {"strapi", parsed(rows.strapi)}, {"roles", parsed(rows.roles)}};
    for (auto const& [type, profiles] : rows.profiles)
        told["profiles"][type] = parsed(profiles);
    if (!reveal) mask_names(told);
    return told;
}

// What the event is to the state as it stands.
char const* verdict_of(user_state const& known, user_event const& event)
{
    if (known.known == user_state::presence::absent) return "not applied yet";
    if (event.version == known.version && event.kind != event_kind::seen) return "applied: this is his state";
    if (known.known == user_state::presence::tombstone) return "stale: he is deleted";
    if (event.kind == event_kind::deleted)
        return merge_event(known, event).outcome == event_outcome::stale ? "stale: before he was revived"
                                                                         : "not applied yet";
    if (event.kind == event_kind::seen || event.version < known.version) return "older";
    return "newer: not applied yet";
}

// The fault, or empty.
std::string read_events(worker_config const& config, user_options const& options, user_state const& known,
    kafka_topic_reader& reader, stop_signal const& stop, ordered_json& found)
{
    for (auto const& topic : {config.topics.user_events, config.topics.provisioning, config.topics.snapshots}) {
        auto const extents = reader.extents(topic);
        if (!extents) return "the brokers do not say what " + topic + " holds: " + reader.fault();
        std::vector<partition_range> ranges;
        auto const count = static_cast<std::int32_t>(extents->size());
        for (auto const& one : *extents) {
            if (options.all_partitions || one.partition == kafka_topic_reader::partition_of(options.id, count))
                ranges.push_back({one.partition, one.first, one.next});
        }
        reader.begin(topic, ranges);
        auto heard_at = std::chrono::steady_clock::now();
        while (!reader.finished()) {
            if (stop.requested()) return "stopped";
            auto const records = reader.poll(100ms, 1000);
            auto const now = std::chrono::steady_clock::now();
            if (records.empty() && now - heard_at > silence_max) return "the brokers fell silent: " + reader.fault();
            if (!records.empty()) heard_at = now;
            for (auto const& record : records) {
                if (record.key != options.id) continue;
                auto const event = decode_record(record.view(), decoding_of(config));
                ordered_json told{{"topic", topic},
                    {"place", std::to_string(record.partition) + "-" + std::to_string(record.offset)}};
                told["type"] = event ? to_string(event->kind) : "-";
                told["event_id"] = event ? event->version.event_id : "";
                told["updated_at"] = event ? time_text(event->version.updated_at_ms) : "-";
                told["event_time"] = event ? time_text(event->version.event_ms) : "-";
                told["verdict"] = event ? verdict_of(known, *event) : "unusable: " + std::string{event.error().name()};
                found.push_back(std::move(told));
            }
        }
    }
    return {};
}

void print_rows(ordered_json const& told)
{
    text_table fields{{}};
    for (auto const* const part : {"state", "strapi"}) {
        if (told[part].is_null()) fields.add({part, part == std::string_view{"state"} ? "nothing stored" : "no row"});
        if (told[part].is_null()) continue;
        for (auto const& [name, value] : told[part].items())
            fields.add({std::string{part} + "." + name, value.is_string() ? std::string{value} : value.dump()});
    }
    for (auto const& role : told["roles"])
        fields.add({"role", std::string{role["type"]} + " (" + std::string{role["name"]} + ")"});
    if (told.contains("profiles")) {
        for (auto const& [type, profiles] : told["profiles"].items()) {
            for (auto const& one : profiles)
                fields.add({type, one.dump()});
        }
    }
    std::cout << fields.text();
}

void print_all(ordered_json const& told)
{
    print_rows(told);
    text_table events{{"TOPIC", "PLACE", "TYPE", "UPDATED", "EVENT", "VERDICT"}};
    for (auto const& one : told["events"])
        events.add({one["topic"], one["place"], one["type"], one["updated_at"], one["event_time"], one["verdict"]});
    std::cout << (told["events"].empty() ? "no event of his is in the log\n" : "\n" + events.text());
    for (auto const& one : told["dead_letters"])
        std::cout << "open dead letter " << std::string{one["id"]} << ": " << printable(std::string{one["reason"]})
                  << "  (clerk-worker dlq show " << std::string{one["id"]} << ")\n";
}

int tell(worker_config const& config, user_options const& options, strapi_schema const& schema, operator_rows& rows)
{
    auto const found = rows.read_user(options.id, schema);
    if (!found) return fail("the database: " + rows.fault());
    auto told = rows_of(*found, options.reveal);
    letter_filter filter;
    filter.user = options.id;
    letter_scan letters{config, filter};
    if (auto const fault = letters.open(); !fault.empty()) return fail(fault);
    told["dead_letters"] = ordered_json::array();
    auto fault = letters.each([&](letter const& one) {
        told["dead_letters"].push_back({{"id", one.id()}, {"time", one.note.time}, {"reason", one.note.reason}});
        return true;
    });
    told["events"] = ordered_json::array();
    if (fault.empty())
        fault = read_events(config, options, found->known, letters.reader(), letters.stop(), told["events"]);
    if (!fault.empty()) return fail(fault);
    if (options.json)
        std::cout << told.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    else
        print_all(told);
    return told["dead_letters"].empty() ? exit_done : exit_found;
}

int revive(worker_config const& config, clerk_access const& access, user_options const& options,
    strapi_schema const& schema, operator_rows& rows)
{
    stop_signal stop;
    clerk_reader clerk{access.reader, stop};
    auto const instance = find_instance(clerk, access.instances, "user");
    if (instance.id.empty()) return instance.exit_code;
    auto const reply = clerk.get("/v1/users/" + options.id);
    if (reply.kind == reply_kind::answered && reply.status == 404)
        return fail("Clerk has no user " + options.id + ": the tombstone stays");
    auto const user =
        reply.kind == reply_kind::answered && reply.status == 200 ? read_listed_user(reply.body) : std::nullopt;
    if (!user || user->clerk_id != options.id) return fail(explain(reply) + "; nothing was changed");
    // First the tombstone: a snapshot that meets it is stale.
    if (!rows.revive(options.id, reply.asked_at_ms, schema)) return fail("the database: " + rows.fault());
    kafka_snapshots publisher{config.kafka, config.topics.snapshots, [&] { return stop.requested(); }};
    auto const published = publisher.publish(
        1, [&](std::size_t) { return snapshot_record(options.id, user->raw, instance.id, reply.asked_at_ms); },
        publish_patience);
    if (published.status != publish_status::persisted || !published.too_large.empty())
        return fail("the tombstone is lifted, but the brokers did not take the snapshot; run the same command again");
    if (options.json)
        std::cout << ordered_json{{"revived", options.id}, {"at", time_text(reply.asked_at_ms)}}.dump(2) << '\n';
    else
        std::cout << "user: " << options.id << " may come in again; a snapshot is on its way. Deletions dated before "
                  << time_text(reply.asked_at_ms) << " are stale from now on.\n";
    return exit_done;
}

}

operator_command add_user(CLI::App& app)
{
    auto const options = std::make_shared<user_options>();
    auto* const command = app.add_subcommand("user", "Everything that is known of one Clerk user");
    command->footer(footer);
    command->add_option("clerk-id", options->id, "The Clerk user's id, user_...")->required();
    command->add_flag("--revive", options->revive, "Lift his tombstone, when Clerk's API has him");
    command->add_option("--instance", options->instance, "With --revive: the Clerk instance (ins_...) of the key");
    command->add_flag("--reveal", options->reveal, "With personal data");
    command->add_flag(
        "--all-partitions", options->all_partitions, "Look for his events in every partition, not only his");
    command->add_flag("--json", options->json, "One JSON object instead of tables");
    return {command, [options](config_source& source) {
                if (!is_user_id(options->id)) throw config_error{options->id + " is not a Clerk user's id (user_...)"};
                auto const access = options->revive ? read_clerk_access(source, options->instance, 0) : clerk_access{};
                auto const config = load_config(source, {});
                strapi_store store{config.conninfo, config.store};
                if (auto const checked = store.check(); checked.status != apply_status::applied)
                    return fail("the database: " + checked.detail);
                operator_rows rows{config.conninfo, config.store.sql.database_schema};
                if (options->revive) return revive(config, access, *options, *store.schema(), rows);
                return tell(config, *options, *store.schema(), rows);
            }};
}

}
