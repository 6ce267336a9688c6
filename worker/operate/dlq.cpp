#include "common/event/cloud_event.hpp"
#include "worker/operate/commands.hpp"
#include "worker/operate/dead_letter_scan.hpp"
#include "worker/operate/masked_json.hpp"
#include "worker/operate/operator_commands.hpp"
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
    R"(A dead letter is a record that could not be applied. It is open until it is sent again or discarded.

Examples:
  clerk-worker dlq list                                  the open ones; --all shows closed ones too
  clerk-worker dlq list --reason bad_time --since 2d
  clerk-worker dlq show 3-120                            one record, without personal data; --reveal shows all
  clerk-worker dlq redrive --reason foreign_instance     after CLERK_INSTANCE_IDS was corrected
  clerk-worker dlq redrive --every                       all open ones
  clerk-worker dlq discard 3-120 3-121                   nothing is to be done about these

Sending again twice is harmless: the rule of merging knows the event.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 open ones found, or some still cannot be used.)";

struct dlq_options
{
    letter_filter filter;
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

void print(ordered_json const& told)
{
    std::cout << told.dump(2, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

std::string origin_of(dead_letter_info const& note)
{
    if (!note.partition || !note.offset) return std::string{note.topic};
    return std::string{note.topic} + " " + std::to_string(*note.partition) + "-" + std::to_string(*note.offset);
}

// A key that is no Clerk id may be anything, an address above all: it came from whoever wrote the record.
ordered_json user_of(letter const& one, bool reveal)
{
    if (!one.record.key) return nullptr;
    std::string const key{*one.record.key};
    return reveal || is_user_id(key) ? key : masked_text(key);
}

ordered_json summary_of(letter const& one, bool reveal)
{
    auto const& note = one.note;
    ordered_json told{{"id", one.id()}, {"time", note.time}, {"reason", note.reason}, {"detail", note.detail},
        {"from", origin_of(note)}};
    told["user"] = user_of(one, reveal);
    told["state"] = one.mark ? to_string(*one.mark) : "open";
    return told;
}

int list(worker_config const& config, dlq_options const& options)
{
    letter_scan scan{config, options.filter};
    if (auto const fault = scan.open(); !fault.empty()) return fail(fault);
    auto found = ordered_json::array();
    auto more = false;
    auto const fault = scan.each([&](letter const& one) {
        more = found.size() == options.limit;
        if (!more) found.push_back(summary_of(one, options.reveal));
        return !more;
    });
    if (!fault.empty()) return fail(fault);
    auto const open = std::count_if(found.begin(), found.end(), [](auto const& one) { return one["state"] == "open"; });
    if (options.json) {
        print({{"dead_letters", found}, {"more", more}, {"open_in_topic", scan.open_count()}});
    } else {
        text_table table{{"ID", "PARKED", "REASON", "USER", "FROM", "STATE", "DETAIL"}};
        for (auto const& one : found)
            table.add({one["id"], one["time"], one["reason"], one["user"].is_null() ? "-" : std::string{one["user"]},
                one["from"], one["state"], one["detail"]});
        if (!found.empty()) std::cout << table.text();
        if (more) std::cout << "… and more: narrow it with --reason, --since or --user, or raise --limit\n";
        std::cout << "dlq: " << found.size() << " shown, " << scan.open_count() << " open in " << scan.topic() << '\n';
    }
    return open > 0 ? exit_found : exit_done;
}

bool is_ours(std::string_view header)
{
    using namespace cloud_event;
    return header.starts_with("dlq_") || header.starts_with("ce_") || header == content_type || header == traceparent;
}

// Ours are ids, types and times, unless a foreign producer wrote something else there.
std::string header_text(record_header const& header, bool reveal)
{
    std::string text{header.value.value_or("")};
    if (reveal) return text;
    if (!is_ours(header.name)) return "(hidden)";
    return text.find('@') == std::string::npos ? text : masked_text(text);
}

ordered_json body_of(letter const& one, bool reveal)
{
    if (lacks_body(one.record.view(), one.note))
        return "too large to be parked with its reason; it stands at " + origin_of(one.note);
    auto const value = one.record.value.value_or("");
    if (reveal) return ordered_json(std::string{value});
    auto const masked = masked_json(value);
    if (masked) return ordered_json::parse(*masked);
    return std::to_string(value.size()) + " bytes that are not usable JSON; --reveal shows them";
}

int show(worker_config const& config, dlq_options const& options)
{
    letter_scan scan{config, options.filter};
    if (auto const fault = scan.open(); !fault.empty()) return fail(fault);
    auto found = ordered_json::array();
    auto const fault = scan.each([&](letter const& one) {
        auto told = summary_of(one, options.reveal);
        for (auto const& header : one.record.headers)
            told["headers"][std::string{header.name}] = header_text(header, options.reveal);
        told["body"] = body_of(one, options.reveal);
        found.push_back(std::move(told));
        return true;
    });
    if (!fault.empty()) return fail(fault);
    if (found.size() < options.filter.ids.size())
        return fail("the topic does not hold all of these; see `dlq list --all`");
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
    letter_scan scan{config, options.filter};
    if (auto const fault = scan.open(); !fault.empty()) return fail(fault);
    auto ids = ordered_json::array();
    std::string failed;
    auto fault = scan.each([&](letter const& one) {
        failed = scan.mark(one, dead_letter_mark::discarded);
        if (failed.empty()) ids.push_back(one.id());
        return failed.empty();
    });
    if (fault.empty()) fault = failed;
    if (options.json)
        print({{"discarded", ids}});
    else
        std::cout << "dlq: " << ids.size() << " discarded\n";
    return fault.empty() ? exit_done : fail(fault);
}

CLI::App* add_part(CLI::App& command, char const* name, char const* purpose, dlq_options& options)
{
    auto* const part = command.add_subcommand(name, purpose);
    part->add_option("id", options.filter.ids, "Dead letters by their ids, such as 3-120");
    part->add_option("--reason", options.filter.reasons, "Only those parked for this reason; may be repeated");
    part->add_option("--since", options.filter.since, "Only those parked since: 2026-11-23T04:05:06Z, 2026-11-23, 2h");
    part->add_option("--until", options.filter.until, "Only those parked before: the same forms");
    part->add_option("--user", options.filter.user, "Only this Clerk user's");
    part->add_flag("--json", options.json, "JSON instead of lines");
    part->footer(footer);
    return part;
}

}

operator_command add_dlq(CLI::App& app)
{
    auto const options = std::make_shared<dlq_options>();
    auto* const command = app.add_subcommand("dlq", "Dead letters: list, show, send again, discard");
    command->require_subcommand(1);
    command->footer(footer);
    auto* const listing = add_part(*command, "list", "The open ones", *options);
    listing->add_flag("--all", options->filter.closed_too, "Those that were sent again or discarded, too");
    listing->add_option("--limit", options->limit, "At most so many")->capture_default_str();
    auto* const showing = add_part(*command, "show", "Records with their headers, without personal data", *options);
    showing->add_flag("--reveal", options->reveal, "With personal data");
    auto* const sending = add_part(*command, "redrive", "Send again to where they came from", *options);
    auto* const dropping = add_part(*command, "discard", "Close them: nothing is to be done", *options);
    for (auto* const one : {sending, dropping})
        one->add_flag("--every", options->every, "All open ones");
    return {command, [=](config_source& source) {
                auto const changes = sending->parsed() || dropping->parsed();
                if (changes && !options->every && !options->filter.names_something())
                    throw config_error{"dlq: say which: ids, --reason, --since, --until or --user; or --every"};
                if (showing->parsed()) {
                    if (options->filter.ids.empty()) throw config_error{"dlq show: name a dead letter, such as 3-120"};
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
