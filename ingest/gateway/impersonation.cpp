#include "ingest/gateway/impersonation.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::string_view everything = "*";

std::string fault_of(std::string const& entry)
{
    if (entry == everything) return "must be * alone, or paths without it: * closes every route already";
    if (!entry.starts_with('/'))
        return "must list paths that begin with a slash, such as /api/orders, but holds \"" + entry + "\"";
    return "must list plain paths, without *, ?, #, ;, dots or encoded slashes (each also closes the paths below it), "
           "but holds \""
        + entry + "\"";
}

std::optional<path_segments> read_prefix(std::string const& entry)
{
    if (!entry.starts_with('/') || entry.find_first_of("*?") != std::string::npos) return std::nullopt;
    return read_path(entry);
}

}

result<impersonation_rule, std::string> impersonation_rule::from_entries(std::vector<std::string> const& entries)
{
    impersonation_rule rule;
    if (entries.size() == 1 && entries.front() == everything) {
        rule.prefixes_.emplace_back(); // the empty prefix: every path begins with it
        return rule;
    }
    for (auto const& entry : entries) {
        auto prefix = read_prefix(entry);
        if (!prefix) return fault_of(entry);
        rule.prefixes_.push_back(std::move(*prefix));
    }
    return rule;
}

bool impersonation_rule::closes(std::string_view uri) const
{
    if (prefixes_.empty()) return false;
    auto const path = read_path(uri);
    if (!path) return true;
    return std::any_of(prefixes_.begin(), prefixes_.end(), [&](path_segments const& prefix) {
        return prefix.size() <= path->size() && std::equal(prefix.begin(), prefix.end(), path->begin());
    });
}

}
