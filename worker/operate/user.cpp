#include "worker/apply/store.hpp"
#include "worker/operate/clerk_access.hpp"
#include "worker/operate/clerk_pages.hpp"
#include "worker/operate/clock.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
#include "worker/operate/masked_json.hpp"
#include "worker/operate/operator_rows.hpp"
#include "worker/operate/snapshot_topic.hpp"
#include "worker/operate/text_table.hpp"
#include "worker/operate/topic_scan.hpp"
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

constexpr std::size_t batch_records = 1000;
constexpr auto publish_patience = 30s;

constexpr auto footer =
    R"(Shows the stored state of one Clerk user, Strapi's rows, open dead letters, and each event that Kafka still has,
with what the merge rule decides about it now. Personal data is masked.

Examples:
  clerk-worker user user_2abc                 explain a user's current state
  clerk-worker user user_2abc --reveal        the same, with e-mail and names
  clerk-worker user user_2abc --revive        lift the tombstone: the user was deleted here, but Clerk has the user

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the user has open dead letters.)";

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

std::string time_or_dash(std::int64_t time_ms) { return time_ms == 0 ? "-" : time_text(time_ms); }

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
    ordered_json found{{"state", parsed(rows.state)}, {"strapi", parsed(rows.strapi)}, {"roles", parsed(rows.roles)}};
    for (auto const& [type, profiles] : rows.profiles)
        found["profiles"][type] = parsed(profiles);
    if (!reveal) mask_names(found);
    return found;
}

// What the merge rule decides about an event, given the stored state.
char const* decision_on(user_state const& known, user_event const& event)
{
    if (known.known == user_state::presence::absent) return "not applied yet";
    if (event.version == known.version && event.kind != event_kind::seen) return "applied: this is the current state";
    if (known.known == user_state::presence::tombstone) return "stale: the user is deleted";
    if (event.kind == event_kind::deleted)
        return merge_event(known, event).outcome == event_outcome::stale ? "stale: dated before the user was revived"
                                                                         : "not applied yet";
    if (event.kind == event_kind::seen || event.version < known.version) return "older";
    return "newer: not applied yet";
}

ordered_json event_line(event_record const& record, worker_config const& config, user_state const& known)
{
    auto const event = decode_record(record.view(), decoding_of(config));
    ordered_json line{
        {"topic", record.topic}, {"place", std::to_string(record.partition) + "-" + std::to_string(record.offset)}};
    line["type"] = event ? to_string(event->kind) : "-";
    line["event_id"] = event ? event->version.event_id : "";
    line["updated_at"] = event ? time_or_dash(event->version.updated_at_ms) : "-";
    line["event_time"] = event ? time_or_dash(event->version.event_ms) : "-";
    line["verdict"] = event ? decision_on(known, *event) : "unusable: " + std::string{event.error().name()};
    return line;
}

result<std::vector<ordered_json>, failure> read_events(worker_config const& config, user_options const& options,
    user_state const& known, kafka_topic_reader& reader, stop_signal const& stop)
{
    std::vector<ordered_json> found;
    for (auto const& topic : {config.topics.user_events, config.topics.provisioning, config.topics.snapshots}) {
        auto const extents = reader.extents(topic);
        if (!extents) return failure{"cannot read the offsets of topic " + topic + ": " + reader.fault()};
        std::vector<partition_range> ranges;
        auto const count = static_cast<std::int32_t>(extents->size());
        for (auto const& one : *extents) {
            if (options.all_partitions || one.partition == kafka_topic_reader::partition_of(options.id, count))
                ranges.push_back({one.partition, one.first, one.next});
        }
        auto const done = read_topic({topic, std::move(ranges), batch_records}, reader, stop,
            [&](std::vector<event_record> const& records) -> result<bool, failure> {
                for (auto const& record : records) {
                    if (record.key == options.id) found.push_back(event_line(record, config, known));
                }
                return true;
            });
        if (!done) return done.error();
    }
    return found;
}

void print_rows(ordered_json const& answer)
{
    text_table fields{{}};
    for (auto const* const part : {"state", "strapi"}) {
        if (answer[part].is_null()) fields.add({part, part == std::string_view{"state"} ? "nothing stored" : "no row"});
        if (answer[part].is_null()) continue;
        for (auto const& [name, value] : answer[part].items())
            fields.add({std::string{part} + "." + name, value.is_string() ? std::string{value} : value.dump()});
    }
    for (auto const& role : answer["roles"])
        fields.add({"role", std::string{role["type"]} + " (" + std::string{role["name"]} + ")"});
    if (answer.contains("profiles")) {
        for (auto const& [type, profiles] : answer["profiles"].items()) {
            for (auto const& one : profiles)
                fields.add({type, one.dump()});
        }
    }
    std::cout << fields.text();
}

void print_all(ordered_json const& answer)
{
    print_rows(answer);
    text_table events{{"TOPIC", "PLACE", "TYPE", "UPDATED", "EVENT", "DECISION"}};
    for (auto const& one : answer["events"])
        events.add({one["topic"], one["place"], one["type"], one["updated_at"], one["event_time"], one["verdict"]});
    std::cout << (answer["events"].empty() ? "Kafka has no event of this user\n" : "\n" + events.text());
    for (auto const& one : answer["dead_letters"])
        std::cout << "open dead letter " << std::string{one["id"]} << ": " << printable(std::string{one["reason"]})
                  << "  (clerk-worker dlq show " << std::string{one["id"]} << ")\n";
}

int explain_user(
    worker_config const& config, user_options const& options, strapi_schema const& schema, operator_rows& rows)
{
    auto const found = rows.read_user(options.id, schema);
    if (!found) return fail(found.error().what);
    auto answer = rows_of(*found, options.reveal);
    dead_letter_filter filter;
    filter.user = options.id;
    dead_letter_scan dead_letters{config, filter};
    if (auto const opened = dead_letters.open(); !opened) return fail(opened.error().what);
    answer["dead_letters"] = ordered_json::array();
    auto const listed = dead_letters.each([&](dead_letter const& one) -> result<bool, failure> {
        answer["dead_letters"].push_back({{"id", one.id()}, {"time", one.note.time}, {"reason", one.note.reason}});
        return true;
    });
    if (!listed) return fail(listed.error().what);
    auto events = read_events(config, options, found->known, dead_letters.reader(), dead_letters.stop());
    if (!events) return fail(events.error().what);
    answer["events"] = *events;
    if (options.json)
        std::cout << answer.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    else
        print_all(answer);
    return answer["dead_letters"].empty() ? exit_done : exit_found;
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
    // The tombstone first: while it exists, the snapshot is stale.
    if (auto const revived = rows.revive(options.id, reply.asked_at_ms, schema); !revived)
        return fail(revived.error().what);
    snapshot_topic publisher{config.kafka, config.topics.snapshots, [&] { return stop.requested(); }};
    auto const published = publisher.publish(
        1, [&](std::size_t) { return snapshot_record(options.id, user->raw, instance.id, reply.asked_at_ms); },
        publish_patience);
    if (published.status != publish_status::persisted || !published.too_large.empty())
        return fail("the tombstone is lifted, but the brokers did not store the snapshot; run the same command again");
    if (options.json)
        std::cout << ordered_json{{"revived", options.id}, {"at", time_text(reply.asked_at_ms)}}.dump(2) << '\n';
    else
        std::cout << "user: lifted the tombstone of " << options.id
                  << " and published a snapshot. Deletions dated before " << time_text(reply.asked_at_ms)
                  << " are ignored from now on.\n";
    return exit_done;
}

}

subcommand add_user(CLI::App& app)
{
    auto const options = std::make_shared<user_options>();
    auto* const command = app.add_subcommand("user", "Explain one Clerk user's current state, or lift a tombstone");
    command->footer(footer);
    command->add_option("clerk-id", options->id, "The Clerk user's id, user_...")->required();
    command->add_flag("--revive", options->revive, "Lift the user's tombstone, if Clerk's API has the user");
    command->add_option("--instance", options->instance,
        "With --revive: the Clerk instance (ins_...) that CLERK_SECRET_KEY must belong to");
    command->add_flag("--reveal", options->reveal, "Show personal data");
    command->add_flag(
        "--all-partitions", options->all_partitions, "Read all partitions, not only the one of the user's key");
    command->add_flag("--json", options->json, "Print one JSON object");
    return {command, [options](config_source& source) {
                if (!is_user_id(options->id)) throw config_error{options->id + " is not a Clerk user's id (user_...)"};
                auto const access = options->revive ? read_clerk_access(source, options->instance, 0) : clerk_access{};
                auto const config = load_config(source, {});
                strapi_store store{config.conninfo, config.store};
                if (auto const checked = store.check(); checked.status != apply_status::applied)
                    return fail("cannot use the database: " + checked.detail);
                operator_rows rows{config.conninfo, config.store.sql.database_schema};
                if (options->revive) return revive(config, access, *options, *store.schema(), rows);
                return explain_user(config, *options, *store.schema(), rows);
            }};
}

}
