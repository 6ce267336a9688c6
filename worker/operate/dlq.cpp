#include "common/event/cloud_event.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
#include "worker/operate/masked_json.hpp"
#include "worker/operate/redrive.hpp"
#include "worker/operate/text_table.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <memory>

namespace clerk_strapi::worker::commands
{

namespace
{

using nlohmann::ordered_json;

constexpr auto footer =
    R"(A dead letter is a record that the worker could not apply. It is open until it is redriven or discarded.

Examples:
  clerk-worker dlq list                                  open dead letters; --all lists closed ones too
  clerk-worker dlq list --reason bad_time --since 2d           with this reason, of the last two days
  clerk-worker dlq show 3-120                            one record, personal data masked; --reveal shows it
  clerk-worker dlq redrive --reason foreign_instance     send again, after CLERK_INSTANCE_IDS was corrected
  clerk-worker dlq redrive --every                       send all open ones again
  clerk-worker dlq discard 3-120 3-121                   close these without sending them again

Sending a record again twice is harmless: the merge rule skips what is already applied.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 open dead letters found, or some are still unusable.)";

struct dlq_options
{
    dead_letter_filter filter;
    std::size_t limit{1000};
    bool every{false};
    bool reveal{false};
    bool json{false};
};

int fail(std::string const& fault)
{
    std::cerr << "dlq: " << fault << '\n';
    return exit_failed;
}

void print(ordered_json const& value)
{
    std::cout << value.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

std::string origin_of(dead_letter_info const& note)
{
    if (!note.partition || !note.offset) return std::string{note.topic};
    return std::string{note.topic} + " " + std::to_string(*note.partition) + "-" + std::to_string(*note.offset);
}

// A key that is not a Clerk id may be anything, also an e-mail address: a foreign producer may have written it.
ordered_json user_of(dead_letter const& one, bool reveal)
{
    if (!one.record.key) return nullptr;
    std::string const key{*one.record.key};
    return reveal || is_user_id(key) ? key : masked_text(key);
}

ordered_json summary_of(dead_letter const& one, bool reveal)
{
    auto const& note = one.note;
    ordered_json summary{{"id", one.id()}, {"time", note.time}, {"reason", note.reason}, {"detail", note.detail},
        {"from", origin_of(note)}};
    summary["user"] = user_of(one, reveal);
    summary["state"] = one.mark ? to_string(*one.mark) : "open";
    return summary;
}

int list(worker_config const& config, dlq_options const& options)
{
    dead_letter_scan scan{config, options.filter};
    if (auto const opened = scan.open(); !opened) return fail(opened.error().what);
    auto found = ordered_json::array();
    auto more = false;
    auto const done = scan.each([&](dead_letter const& one) -> result<bool, failure> {
        more = found.size() == options.limit;
        if (!more) found.push_back(summary_of(one, options.reveal));
        return !more;
    });
    if (!done) return fail(done.error().what);
    auto const open = std::count_if(found.begin(), found.end(), [](auto const& one) { return one["state"] == "open"; });
    if (options.json) {
        print({{"dead_letters", found}, {"more", more}, {"open_in_topic", scan.open_count()}});
    } else {
        text_table table{{"ID", "PARKED", "REASON", "USER", "FROM", "STATE", "DETAIL"}};
        for (auto const& one : found)
            table.add({one["id"], one["time"], one["reason"], one["user"].is_null() ? "-" : std::string{one["user"]},
                one["from"], one["state"], one["detail"]});
        if (!found.empty()) std::cout << table.text();
        if (more) std::cout << "more exist: filter with --reason, --since or --user, or raise --limit\n";
        std::cout << "dlq: " << found.size() << " listed, " << scan.open_count() << " open in " << scan.topic() << '\n';
    }
    return open > 0 ? exit_found : exit_done;
}

bool is_ours(std::string_view header)
{
    using namespace cloud_event;
    return header.starts_with("dlq_") || header.starts_with("ce_") || header == content_type || header == traceparent;
}

// Headers of this project hold ids, types and times, unless a foreign producer wrote something else there.
std::string header_text(record_header const& header, bool reveal)
{
    std::string text{header.value.value_or("")};
    if (reveal) return text;
    if (!is_ours(header.name)) return "(hidden)";
    return text.find('@') == std::string::npos ? text : masked_text(text);
}

ordered_json body_of(dead_letter const& one, bool reveal)
{
    if (lacks_body(one.record.view(), one.note))
        return "too large for the dead-letter topic; the original record is at " + origin_of(one.note);
    auto const value = one.record.value.value_or("");
    if (reveal) return ordered_json(std::string{value});
    auto const masked = masked_json(value);
    if (masked) return ordered_json::parse(*masked);
    return std::to_string(value.size()) + " bytes that are not usable JSON; --reveal shows them";
}

int show(worker_config const& config, dlq_options const& options)
{
    dead_letter_scan scan{config, options.filter};
    if (auto const opened = scan.open(); !opened) return fail(opened.error().what);
    auto found = ordered_json::array();
    auto const done = scan.each([&](dead_letter const& one) -> result<bool, failure> {
        auto shown = summary_of(one, options.reveal);
        for (auto const& header : one.record.headers)
            shown["headers"][std::string{header.name}] = header_text(header, options.reveal);
        shown["body"] = body_of(one, options.reveal);
        found.push_back(std::move(shown));
        return true;
    });
    if (!done) return fail(done.error().what);
    if (found.size() < options.filter.ids.size())
        return fail("the dead-letter topic does not have all of these; run `clerk-worker dlq list --all`");
    if (options.json) {
        print(found);
        return exit_done;
    }
    for (auto const& one : found) {
        for (auto const& [name, value] : one.items()) {
            if (name == "headers") {
                for (auto const& [header, text] : value.items())
                    std::cout << "  " << printable(header) << ": " << printable(std::string{text}) << '\n';
            } else if (name == "body" && !options.reveal) {
                std::cout << "body (personal data hidden):\n" << value.dump(2) << '\n';
            } else {
                std::cout << name << ": " << (value.is_string() ? printable(std::string{value}) : value.dump()) << '\n';
            }
        }
    }
    return exit_done;
}

int discard(worker_config const& config, dlq_options const& options)
{
    dead_letter_scan scan{config, options.filter};
    if (auto const opened = scan.open(); !opened) return fail(opened.error().what);
    auto ids = ordered_json::array();
    auto const done = scan.each([&](dead_letter const& one) -> result<bool, failure> {
        if (auto const marked = scan.mark(one, dead_letter_mark::discarded); !marked) return marked.error();
        ids.push_back(one.id());
        return true;
    });
    if (options.json)
        print({{"discarded", ids}});
    else
        std::cout << "dlq: " << ids.size() << " discarded\n";
    return done ? exit_done : fail(done.error().what);
}

CLI::App* add_part(CLI::App& command, char const* name, char const* purpose, dlq_options& options)
{
    auto* const part = command.add_subcommand(name, purpose);
    part->add_option("id", options.filter.ids, "Ids of dead letters (partition-offset), such as 3-120");
    part->add_option("--reason", options.filter.reasons, "Only dead letters with this reason; may be repeated");
    part->add_option("--since", options.filter.since, "Only dead letters since 2026-11-23T04:05:06Z, 2026-11-23, 2h");
    part->add_option("--until", options.filter.until, "Only dead letters before this time; the same forms");
    part->add_option("--user", options.filter.user, "Only dead letters of this Clerk user");
    part->add_flag("--json", options.json, "Print JSON");
    part->footer(footer);
    return part;
}

}

subcommand add_dlq(CLI::App& app)
{
    auto const options = std::make_shared<dlq_options>();
    auto* const command = app.add_subcommand("dlq", "List, show, redrive or discard dead letters");
    command->require_subcommand(1);
    command->footer(footer);
    auto* const listing = add_part(*command, "list", "List open dead letters", *options);
    listing->add_flag("--all", options->filter.closed_too, "Also list dead letters that were redriven or discarded");
    listing->add_option("--limit", options->limit, "The largest number of dead letters to list")->capture_default_str();
    auto* const showing = add_part(*command, "show", "Show records and headers, with personal data masked", *options);
    showing->add_flag("--reveal", options->reveal, "Show personal data");
    auto* const sending = add_part(*command, "redrive", "Send records again to the topics they came from", *options);
    auto* const dropping = add_part(*command, "discard", "Close dead letters without sending them again", *options);
    for (auto* const one : {sending, dropping})
        one->add_flag("--every", options->every, "All open dead letters");
    return {command, [=](config_source& source) {
                auto const changes = sending->parsed() || dropping->parsed();
                if (changes && !options->every && !options->filter.selects_something())
                    throw config_error{
                        "dlq: select dead letters by ids, --reason, --since, --until or --user, or all with --every"};
                if (showing->parsed()) {
                    if (options->filter.ids.empty())
                        throw config_error{"dlq show: name a dead letter by its id, such as 3-120"};
                    options->filter.closed_too = true;
                }
                auto const config = load_config(source, {});
                if (listing->parsed()) return list(config, *options);
                if (showing->parsed()) return show(config, *options);
                if (sending->parsed()) return redrive(config, {options->filter, options->limit, options->json});
                return discard(config, *options);
            }};
}

}
