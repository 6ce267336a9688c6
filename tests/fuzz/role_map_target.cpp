// Covers I6 and E8: ROLE_MAP is accepted exactly when a second reading finds it complete, and a result never names a
// role that is not allowed by name.

#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"
#include "worker/decide/role_map.hpp"

#include <algorithm>
#include <set>

namespace clerk_strapi::fuzz
{
namespace
{

using nlohmann::json;

bool is_usable(json const& value)
{
    return value.is_string() && value != "" && value.get<std::string>().find('\0') == std::string::npos;
}

bool is_list(json const& value) { return value.is_array() && std::all_of(value.begin(), value.end(), is_usable); }

bool has(json const& list, json const& value) { return std::find(list.begin(), list.end(), value) != list.end(); }

bool is_whole(json const& written)
{
    static std::set<std::string> const names{"from", "map", "precedence", "default", "allowed"};
    if (!written.is_object()) return false;
    for (auto const& [name, value] : written.items())
        if (!names.contains(name)) return false;
    auto const* const map = member(written, "map");
    auto const* const allowed = member(written, "allowed");
    auto const* const from = member(written, "from");
    auto const* const initial = member(written, "default");
    auto const* const precedence = member(written, "precedence");
    if (from == nullptr || !is_usable(*from) || map == nullptr || !map->is_object() || map->empty()) return false;
    if (allowed == nullptr || !is_list(*allowed) || allowed->empty()) return false;
    for (auto const& [value, type] : map->items())
        if (!is_usable(type) || !has(*allowed, type)) return false;
    if (initial != nullptr && (!is_usable(*initial) || !has(*allowed, *initial))) return false;
    if (precedence == nullptr) return true;
    if (!is_list(*precedence)) return false;
    std::set<json> const different(precedence->begin(), precedence->end());
    return different.size() == precedence->size()
        && std::all_of(different.begin(), different.end(),
            [&](json const& value) { return map->contains(value.get<std::string>()); });
}

void check_answer(worker::role_map const& map, json const& allowed, std::vector<std::string> const& hints)
{
    auto const answer = map.answer(hints);
    promise(!answer || has(allowed, *answer), "an answer is allowed by name (E8)");
}

void check_role_map(std::string_view input)
{
    auto const parsed = worker::parse_role_map(input);
    auto const plain = read_plainly(input, 64);
    if (plain.is_beyond_us) return;
    promise(parsed.has_value() == (plain.good() && is_whole(plain.value)), "taken exactly when it is whole");
    if (!parsed) return promise(!parsed.error().what.empty(), "a fault names the fix");

    auto const& map = *parsed;
    promise(json(map.metadata_key) == plain.value["from"], "the member of public_metadata");
    promise(json(map.types) == plain.value["map"], "the map as it was written");
    promise(map.precedence.size() == map.types.size(), "every value has one place");
    for (auto const& value : map.precedence)
        promise(map.types.contains(value), "and only known values have one");
    auto const& allowed = plain.value["allowed"];
    check_answer(map, allowed, {});
    check_answer(map, allowed, {"unknown to every map", map.precedence.back()});
    check_answer(map, allowed, map.precedence);
    for (auto const& answer : map.answers())
        promise(has(allowed, answer), "what may be answered is allowed by name");
    promise(map.answer(map.precedence) == map.types.at(map.precedence.front()), "the first in the list decides");
}

[[maybe_unused]] bool const listed = list("role_map", check_role_map);

}
}
