// Covers I6, I8 and D1-D5, D9: a record is applied only when key, headers and body agree, at a possible time, and
// the worker reads what ingest writes.
// Input: lines `key K`, `time N`, `header NAME VALUE`, an empty line, the value.

#include "ingest/publish/published_event.hpp"
#include "tests/fuzz/target.hpp"
#include "worker/consume/record_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace clerk_strapi::fuzz
{
namespace
{

using namespace worker;

struct written_record
{
    std::optional<std::string_view> key;
    std::optional<std::int64_t> time_ms;
    std::vector<record_header> headers;
    std::string_view value;

    [[nodiscard]] record_view view() const { return {key, value, time_ms, headers}; }
};

written_record read_input(std::string_view input)
{
    written_record record;
    for (auto block = take_until(input, "\n\n"); !block.empty();) {
        auto line = take_line(block);
        auto const word = take_until(line, " ");
        if (word == "key") record.key = line;
        if (word == "header") {
            auto const has_value = line.find(' ') != std::string_view::npos;
            auto const name = take_until(line, " ");
            record.headers.push_back({name, has_value ? std::optional{line} : std::nullopt});
        }
        std::int64_t number = 0;
        if (word == "time" && std::from_chars(line.data(), line.data() + line.size(), number).ec == std::errc{})
            record.time_ms = number;
    }
    record.value = input;
    return record;
}

decode_rules const any_instance{{}, "role"};

void check_header(written_record const& record, std::string_view name, std::string_view value)
{
    auto const ours = [&](record_header const& one) { return one.name == name; };
    auto const count = std::count_if(record.headers.begin(), record.headers.end(), ours);
    promise(count <= 1, "a header of ours comes once (D3)");
    if (count == 0 || value.empty()) return;
    promise(std::find_if(record.headers.begin(), record.headers.end(), ours)->value == value, "and says what we say");
}

void check_event(user_event const& event, written_record const& record)
{
    promise(!record.value.empty() && record.key == event.clerk_id, "the key is the body's user (D1)");
    promise(is_user_id(event.clerk_id), "a user's id, of bounded length (D5)");
    promise(record.headers.size() <= 64, "headers are bounded (D3)");
    check_header(record, "ce_specversion", "1.0");
    check_header(record, "ce_dataschema", "urn:clerk-strapi-sync:user-event:1"); // a newer one is dead-lettered (D4)
    check_header(record, "ce_type", "clerk." + std::string{to_string(event.kind)});
    check_header(record, "ce_subject", event.clerk_id);
    check_header(record, "ce_id", {});
    auto const body = scan_envelope(record.value);
    promise(body && body->kind == event.kind && body->user_id == event.clerk_id, "the body has the same values");
    auto const& version = event.version;
    if (event.kind == event_kind::seen) {
        promise(version == event_version{}, "any webhook is newer than a token's claims");
        promise(!event.desired.email_verified && event.desired.role_hints.empty(), "a token links no account (E7)");
        return;
    }
    promise(version.event_id.empty() == (event.kind == event_kind::snapshot), "a webhook's id is in its version");
    if (event.kind == event_kind::deleted) return;
    for (auto const time : {version.updated_at_ms, version.event_ms, event.desired.created_at_ms})
        promise(time >= 1'000'000'000'000 && time < 253'402'300'800'000, "a time from 2001 to 9999 (D9)");
    if (record.time_ms && *record.time_ms > 0)
        promise(std::max(version.updated_at_ms, version.event_ms) - 3'600'000 <= *record.time_ms,
            "the future does not freeze a row (D9)");
}

// A body that ingest accepts, as ingest writes it: the worker may reject the body's contents, never the record's form.
void check_contract(std::string_view body)
{
    auto const scanned = scan_envelope(body);
    if (!scanned || scanned->kind == event_kind::other) return;
    ingest::published_event const written{
        {"msg_1", 1'800'000'000, body, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}, *scanned};
    written_record record{written.key(), std::nullopt, {}, written.value()};
    for (auto const& [name, value] : written.headers())
        record.headers.push_back({name, value});
    auto const decoded = decode_record(record.view(), any_instance);
    if (decoded) return check_event(*decoded, record);
    auto const rejection = decoded.error();
    auto const about_the_body = rejection.reason == dead_letter_reason::bad_time
        || (rejection.reason == dead_letter_reason::unusable_body && rejection.body_fault == envelope_fault::bad_field);
    promise(about_the_body, "what ingest writes the worker can read");
}

void check_kafka_record(std::string_view input)
{
    auto const record = read_input(input);
    auto const decoded = decode_record(record.view(), any_instance);
    if (decoded) {
        check_event(*decoded, record);
    } else {
        promise(!decoded.error().name().empty(), "a parked record has a reason");
        promise(decoded.error().detail.size() < 100, "whose detail is a word of ours (I6)");
    }
    auto const elsewhere = decode_record(record.view(), {{"ins_elsewhere"}, "role"});
    if (elsewhere) promise(scan_envelope(record.value)->instance_id == "ins_elsewhere", "only instances on the list");
    check_contract(record.value);
}

[[maybe_unused]] bool const listed = list("kafka_record", check_kafka_record);

}
}
