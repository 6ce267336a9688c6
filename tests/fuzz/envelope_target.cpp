// Covers I6 and A15-A17: the scan of a webhook's body equals a full parse, for every body: the same decision,
// the same values; duplicate names, deep nesting and bytes around the value are rejected by name.

#include "common/event/envelope.hpp"
#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace clerk_strapi::fuzz
{
namespace
{

using nlohmann::json;

bool is_plain_user_id(std::string const& id)
{
    constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return id.rfind("user_", 0) == 0 && id.size() > 5 && id.size() <= 69
        && id.find_first_not_of(allowed, 5) == std::string::npos;
}

// Milliseconds from 1970 to 9999; numbers under a hundred thousand million are seconds.
std::optional<std::int64_t> plain_time(json const* value)
{
    auto const number = value == nullptr ? std::nullopt : whole_number(*value);
    if (!number || *number < 0 || *number >= 253'402'300'800'000) return std::nullopt;
    auto const in_seconds = *number < 100'000'000'000;
    if (in_seconds && *number >= 253'402'300'800) return std::nullopt;
    return in_seconds ? *number * 1000 : *number;
}

bool is_plain_instance(std::string const& id)
{
    return !id.empty() && id.size() <= 128
        && std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

bool is_there(json const* value) { return value != nullptr && !value->is_null(); }

// The rule of envelope.hpp once more, on a document.
result<envelope, envelope_fault> read_document(json const& body)
{
    if (!body.is_object()) return envelope_fault::not_an_object;
    auto const type = text_member(body, "type");
    if (!type) return envelope_fault::no_type;
    envelope found;
    found.type = *type;
    found.kind = parse_event_kind(*type);
    found.timestamp_ms = plain_time(member(body, "timestamp"));
    if (auto const id = text_member(body, "instance_id"); id && is_plain_instance(*id)) found.instance_id = *id;
    if (found.kind == event_kind::other) return found;

    auto const* const data = member(body, "data");
    if (data == nullptr || !data->is_object()) return envelope_fault::no_data;
    auto const id = text_member(*data, "id");
    if (!id) return envelope_fault::no_user_id;
    if (!is_plain_user_id(*id)) return envelope_fault::bad_user_id;
    if (is_there(member(body, "timestamp")) && !found.timestamp_ms && found.kind != event_kind::deleted)
        return envelope_fault::bad_timestamp;
    if (is_there(member(body, "instance_id")) && found.instance_id.empty()) return envelope_fault::bad_instance_id;
    found.user_id = *id;
    return found;
}

void check_envelope(std::string_view input)
{
    auto const scanned = scan_envelope(input);
    auto const plain = read_plainly(input, 64);
    if (plain.is_beyond_us) return;
    if (!plain.good()) {
        promise(!scanned, "what a full parse refuses, the scan refuses");
        auto const fault = scanned.error();
        promise(fault != envelope_fault::duplicate_name || plain.has_duplicate, "duplicate_name: a name came twice");
        promise(fault != envelope_fault::too_deep || plain.is_too_deep, "too_deep: more than 64 levels");
        promise(fault != envelope_fault::not_json || !plain.valid, "not_json: no parser takes it");
        auto const by_name = fault == envelope_fault::duplicate_name || fault == envelope_fault::too_deep
            || fault == envelope_fault::not_json;
        promise(by_name, "a fault of the text wins over what is missing in it");
        return;
    }
    auto const expected = read_document(plain.value);
    promise(scanned.has_value() == expected.has_value(), "the scan accepts what a full parse accepts");
    if (!scanned) return promise(scanned.error() == expected.error(), "both refuse for the same reason");
    promise(scanned->kind == expected->kind && scanned->type == expected->type, "both read the same type");
    promise(scanned->user_id == expected->user_id, "both read the same user");
    promise(scanned->timestamp_ms == expected->timestamp_ms, "both read the same time");
    promise(scanned->instance_id == expected->instance_id, "both read the same instance");
}

[[maybe_unused]] bool const listed = list("envelope", check_envelope);

}
}
