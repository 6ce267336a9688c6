// Covers I6, I10, A15-A17, E1 and E8: a second reading of a user's body finds the same values; what goes to Strapi
// contains no U+0000, is trimmed, and roles come only from the one configured member.

#include "common/event/clerk_user.hpp"
#include "common/event/letter_case.hpp"
#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

namespace clerk_strapi::fuzz
{
namespace
{

using nlohmann::json;
using address = clerk_user::email_address;

constexpr auto role_key = "role";
json const nothing;

json const& at(json const& object, char const* name)
{
    auto const* const found = member(object, name);
    return found == nullptr ? nothing : *found;
}

// Members that we map are of their kind, or null, or absent.
bool is_well_formed(json const& data)
{
    for (auto const* const name : {"username", "first_name", "last_name", "primary_email_address_id"})
        if (!at(data, name).is_null() && !at(data, name).is_string()) return false;
    for (auto const* const name : {"created_at", "updated_at"})
        if (!at(data, name).is_null() && !whole_number(at(data, name))) return false;
    for (auto const* const name : {"banned", "deprovisioned"})
        if (!at(data, name).is_null() && !at(data, name).is_boolean()) return false;
    return at(data, "email_addresses").is_null() || at(data, "email_addresses").is_array();
}

std::vector<address> plain_addresses(json const& data)
{
    std::vector<address> all;
    if (!at(data, "email_addresses").is_array()) return all;
    for (auto const& one : at(data, "email_addresses")) {
        auto const text = text_member(one, "email_address").value_or("");
        auto const status = text_member(at(one, "verification"), "status");
        if (!text.empty()) all.push_back({text_member(one, "id").value_or(""), text, status == "verified"});
    }
    return all;
}

bool same(std::optional<address> const& one, address const* other)
{
    if (!one || other == nullptr) return !one && other == nullptr;
    return one->id == other->id && one->address == other->address && one->verified == other->verified;
}

template <class Wanted>
address const* first_that(std::vector<address> const& all, Wanted wanted)
{
    auto const found = std::find_if(all.begin(), all.end(), wanted);
    return found == all.end() ? nullptr : &*found;
}

void compare_addresses(clerk_user const& user, json const& data)
{
    auto const all = plain_addresses(data);
    auto const primary_id = text_member(data, "primary_email_address_id");
    promise(same(user.first, all.empty() ? nullptr : &all.front()), "the first address");
    promise(same(user.first_verified, first_that(all, [](auto const& one) { return one.verified; })),
        "the first verified address");
    promise(
        same(user.primary, first_that(all, [&](auto const& one) { return primary_id == one.id; })), "the primary one");
}

std::vector<std::string> plain_hints(json const& data)
{
    std::vector<std::string> hints;
    auto const add = [&](json const& one) {
        if (!one.is_string()) return;
        auto const text = one.get<std::string>();
        if (!text.empty() && text.size() <= 255 && text.find('\0') == std::string::npos) hints.push_back(text);
    };
    auto const& member = at(at(data, "public_metadata"), role_key);
    if (!member.is_array())
        add(member);
    else
        std::for_each(member.begin(), member.end(), add);
    if (hints.size() > 32) hints.resize(32);
    return hints;
}

void check_text(std::optional<std::string> const& text)
{
    if (!text) return;
    promise(!text->empty(), "nothing is absent, never empty (I10)");
    promise(text->find('\0') == std::string::npos, "PostgreSQL is never sent U+0000 (E1)");
    promise(std::string_view{" \t\n\r\f\v"}.find(text->front()) == std::string_view::npos, "no blank at the front");
    promise(std::string_view{" \t\n\r\f\v"}.find(text->back()) == std::string_view::npos, "no blank at the end");
}

void check_desired(desired_values const& desired, clerk_user const& user)
{
    check_text(desired.email);
    check_text(desired.username);
    check_text(desired.full_name);
    if (desired.email) promise(lower_cased(*desired.email) == *desired.email, "lower case stays as it is");
    promise(desired.banned == (user.banned || user.deprovisioned), "banned and deprovisioned, nothing else");
    promise(!desired.email_verified || user.primary || user.first_verified || user.first, "verified is an address");
}

void check_clerk_user(std::string_view input)
{
    auto const decoded = decode_clerk_event(input, role_key);
    auto const scanned = scan_envelope(input);
    if (!scanned) return promise(!decoded && decoded.error() == scanned.error(), "the scan's error is kept");
    auto const plain = read_plainly(input, 64);
    if (plain.is_beyond_us) return;
    promise(plain.good(), "what is decoded is strict JSON");
    auto const about_user = scanned->kind != event_kind::deleted && scanned->kind != event_kind::other;
    auto const& data = at(plain.value, "data");
    promise(decoded.has_value() == (!about_user || is_well_formed(data)), "a member of the wrong kind is bad_field");
    if (!decoded) return promise(decoded.error() == envelope_fault::bad_field, "and nothing else");
    if (!about_user) return;
    auto const& user = decoded->user;
    promise(user.username == text_member(data, "username"), "the user name");
    promise(user.first_name == text_member(data, "first_name"), "the first name");
    promise(user.last_name == text_member(data, "last_name"), "the last name");
    promise(user.created_at == whole_number(at(data, "created_at")), "created_at");
    promise(user.updated_at == whole_number(at(data, "updated_at")), "updated_at");
    promise(user.banned == (at(data, "banned") == true), "banned");
    promise(user.deprovisioned == (at(data, "deprovisioned") == true), "deprovisioned");
    promise(user.role_hints == plain_hints(data), "hints come from public_metadata's one member (E8)");
    compare_addresses(user, data);
    check_desired(to_desired_values(user), user);
}

[[maybe_unused]] bool const listed = list("clerk_user", check_clerk_user);

}
}
