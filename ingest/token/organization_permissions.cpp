#include "ingest/token/organization_permissions.hpp"

#include <charconv>
#include <cstdint>

namespace clerk_strapi::ingest
{
namespace
{

std::string_view trim(std::string_view text)
{
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

std::vector<std::string_view> split_list(std::string_view list)
{
    std::vector<std::string_view> items;
    while (!list.empty()) {
        auto const comma = std::min(list.find(','), list.size());
        items.push_back(trim(list.substr(0, comma)));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return items;
}

std::vector<std::string_view> organization_features(std::string_view list)
{
    std::vector<std::string_view> features;
    for (auto const item : split_list(list)) {
        auto const colon = item.find(':');
        if (colon == std::string_view::npos) continue;
        auto const scope = item.substr(0, colon);
        if (scope == "o" || scope == "ou" || scope == "uo") features.push_back(item.substr(colon + 1));
    }
    return features;
}

std::uint64_t mask_of(std::string_view text)
{
    std::uint64_t mask = 0;
    auto const [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), mask);
    return error == std::errc{} && stopped == text.data() + text.size() ? mask : 0;
}

}

std::vector<std::string> expand_permissions(compact_permissions const& compact)
{
    auto const features = organization_features(compact.features);
    auto const names = split_list(compact.names);
    auto const masks = split_list(compact.masks);
    std::vector<std::string> permissions;
    for (std::size_t i = 0; i < features.size() && i < masks.size(); ++i) {
        auto const mask = mask_of(masks[i]);
        for (std::size_t bit = 0; bit < names.size() && bit < 64; ++bit) {
            if ((mask >> bit & 1U) == 0) continue;
            permissions.push_back(std::string{features[i]} + ":" + std::string{names[bit]});
        }
    }
    return permissions;
}

}
