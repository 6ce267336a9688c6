#include "common/event/clerk_user.hpp"

#include "common/event/json_reader.hpp"
#include "common/event/letter_case.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace clerk_strapi
{

namespace
{

bool read_verification(json_reader& reader, bool& verified)
{
    if (reader.peek() != json_kind::object) return reader.skip();
    return reader.object([&](std::string_view name) {
        if (name != "status") return reader.skip();
        verified = reader.string() == "verified";
        return reader.fault() == json_fault::none;
    });
}

bool read_email_address(json_reader& reader, std::vector<clerk_user::email_address>& addresses)
{
    if (reader.peek() != json_kind::object) return reader.skip();
    clerk_user::email_address found;
    auto const read = reader.object([&](std::string_view name) {
        if (name == "id") {
            found.id = reader.string().value_or("");
        } else if (name == "email_address") {
            found.address = reader.string().value_or("");
        } else if (name == "verification") {
            return read_verification(reader, found.verified);
        } else {
            return reader.skip();
        }
        return reader.fault() == json_fault::none;
    });
    if (!found.address.empty()) addresses.push_back(std::move(found));
    return read;
}

// primary_email_address_id may come before or after the addresses, so this runs when all members were read.
void settle_addresses(clerk_user& user, std::optional<std::string> const& primary_id,
    std::vector<clerk_user::email_address> const& addresses)
{
    if (addresses.empty()) return;
    user.first = addresses.front();
    auto const primary = std::find_if(addresses.begin(), addresses.end(),
        [&](auto const& address) { return primary_id && address.id == *primary_id; });
    if (primary != addresses.end()) user.primary = *primary;
    auto const verified =
        std::find_if(addresses.begin(), addresses.end(), [](auto const& address) { return address.verified; });
    if (verified != addresses.end()) user.first_verified = *verified;
}

// Reads one mapped member. null counts as absent; any other kind than the documented one makes the event unusable.
template <class Read>
auto mapped(json_reader& reader, bool& spoiled, Read read)
{
    auto const is_null = reader.peek() == json_kind::null;
    auto value = read();
    spoiled = spoiled || (!value && !is_null);
    return value;
}

bool read_addresses(json_reader& reader, bool& spoiled, std::vector<clerk_user::email_address>& addresses)
{
    if (reader.peek() == json_kind::array) return reader.array([&] { return read_email_address(reader, addresses); });
    spoiled = spoiled || reader.peek() != json_kind::null;
    return reader.skip();
}

constexpr std::size_t hints_max = 32;
constexpr std::size_t hint_bytes_max = 255;

// Anything unexpected here is skipped: the event stays usable, and a role is never guessed.
bool read_hint(json_reader& reader, std::vector<std::string>& hints)
{
    auto text = reader.string();
    auto const usable =
        text && !text->empty() && text->size() <= hint_bytes_max && text->find('\0') == std::string::npos;
    if (usable && hints.size() < hints_max) hints.push_back(std::move(*text));
    return reader.fault() == json_fault::none;
}

bool read_role_hints(json_reader& reader, std::string_view role_key, std::vector<std::string>& hints)
{
    if (role_key.empty() || reader.peek() != json_kind::object) return reader.skip();
    return reader.object([&](std::string_view name) {
        if (name != role_key) return reader.skip();
        if (reader.peek() != json_kind::array) return read_hint(reader, hints);
        return reader.array([&] { return read_hint(reader, hints); });
    });
}

// False when a member we map has a kind that Clerk does not document.
bool read_user(json_reader& reader, clerk_user& user, std::string_view role_key)
{
    std::optional<std::string> primary_id;
    std::vector<clerk_user::email_address> addresses;
    auto spoiled = false;
    auto const text = [&] { return mapped(reader, spoiled, [&] { return reader.string(); }); };
    auto const time = [&] { return mapped(reader, spoiled, [&] { return reader.integer(); }); };
    auto const flag = [&] { return mapped(reader, spoiled, [&] { return reader.boolean(); }).value_or(false); };
    reader.object([&](std::string_view name) {
        if (name == "username") {
            user.username = text();
        } else if (name == "first_name") {
            user.first_name = text();
        } else if (name == "last_name") {
            user.last_name = text();
        } else if (name == "primary_email_address_id") {
            primary_id = text();
        } else if (name == "created_at") {
            user.created_at = time();
        } else if (name == "updated_at") {
            user.updated_at = time();
        } else if (name == "banned") {
            user.banned = flag();
        } else if (name == "deprovisioned") {
            user.deprovisioned = flag();
        } else if (name == "email_addresses") {
            return read_addresses(reader, spoiled, addresses);
        } else if (name == "public_metadata") {
            return read_role_hints(reader, role_key, user.role_hints);
        } else {
            return reader.skip();
        }
        return reader.fault() == json_fault::none;
    });
    settle_addresses(user, primary_id, addresses);
    return !spoiled;
}

constexpr std::string_view white_space = " \t\n\r\f\v";

std::string trimmed(std::string_view text)
{
    auto const first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) return {};
    return std::string{text.substr(first, text.find_last_not_of(white_space) - first + 1)};
}

std::string without_nul(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (auto const c : text) {
        if (c == '\0') {
            out += "\xEF\xBF\xBD";
        } else {
            out += c;
        }
    }
    return out;
}

bool has_nul(std::optional<std::string> const& text) { return text && text->find('\0') != std::string::npos; }

std::optional<std::string> text_or_none(std::string text)
{
    if (text.empty()) return std::nullopt;
    return text;
}

std::optional<clerk_user::email_address> const& chosen_address(clerk_user const& user)
{
    return user.primary ? user.primary : user.first_verified ? user.first_verified : user.first;
}

}

std::string_view to_string(mapped_field field)
{
    switch (field) {
    case mapped_field::email: return "email";
    case mapped_field::username: return "username";
    case mapped_field::full_name: return "full_name";
    }
    return "full_name";
}

result<clerk_event_body, envelope_fault> decode_clerk_event(std::string_view body, std::string_view role_key)
{
    auto head = scan_envelope(body);
    if (!head) return head.error();
    clerk_event_body decoded{std::move(*head), {}};
    if (decoded.head.kind == event_kind::deleted || decoded.head.kind == event_kind::other) return decoded;
    // scan_envelope() has checked the whole body, so this second pass only reads values.
    json_reader reader{body};
    auto usable = true;
    reader.object([&](std::string_view name) {
        if (name != "data") return reader.skip();
        usable = read_user(reader, decoded.user, role_key);
        return true;
    });
    if (!usable) return envelope_fault::bad_field;
    return decoded;
}

desired_values to_desired_values(clerk_user const& user)
{
    desired_values desired;
    auto const& address = chosen_address(user);
    if (address) {
        desired.email = text_or_none(lower_cased(without_nul(trimmed(address->address))));
        desired.email_verified = address->verified;
    }
    if (user.username) desired.username = text_or_none(without_nul(trimmed(*user.username)));
    auto const first = without_nul(trimmed(user.first_name.value_or("")));
    auto const last = without_nul(trimmed(user.last_name.value_or("")));
    desired.full_name = text_or_none(first + (first.empty() || last.empty() ? "" : " ") + last);
    desired.banned = user.banned || user.deprovisioned;
    desired.role_hints = user.role_hints;
    desired.created_at_ms = to_milliseconds(user.created_at.value_or(user.updated_at.value_or(0)));
    return desired;
}

std::vector<mapped_field> values_replaced_in(clerk_user const& user)
{
    std::vector<mapped_field> fields;
    auto const& address = chosen_address(user);
    if (address && has_nul(address->address)) fields.push_back(mapped_field::email);
    if (has_nul(user.username)) fields.push_back(mapped_field::username);
    if (has_nul(user.first_name) || has_nul(user.last_name)) fields.push_back(mapped_field::full_name);
    return fields;
}

}
