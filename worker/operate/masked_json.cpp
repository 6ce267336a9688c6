#include "worker/operate/masked_json.hpp"

#include "common/event/json_reader.hpp"
#include "common/event/utf8.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace clerk_strapi::worker
{

namespace
{

using nlohmann::ordered_json;

constexpr auto hidden = "(hidden)";
constexpr auto ellipsis = "\u2026";

constexpr std::array shown_texts = std::to_array<std::string_view>(
    {"id", "object", "type", "instance_id", "primary_email_address_id", "status", "strategy"});

bool is_time(std::string_view name) { return name == "timestamp" || name.ends_with("_at"); }

bool is_free_form(std::string_view name) { return name.ends_with("_metadata") || name == "event_attributes"; }

void mask(std::string_view name, ordered_json& value)
{
    if (value.is_object() && !is_free_form(name)) {
        for (auto& [member, below] : value.items())
            mask(member, below);
    } else if (value.is_array() && !is_free_form(name)) {
        for (auto& below : value)
            mask(name, below);
    } else if (value.is_string()) {
        if (std::find(shown_texts.begin(), shown_texts.end(), name) == shown_texts.end()) value = hidden;
    } else if (value.is_number()) {
        if (!is_time(name)) value = hidden;
    } else if (value.is_structured() && !value.empty()) {
        value = hidden;
    }
}

// The first character, however many bytes it has.
std::string_view first_of(std::string_view text)
{
    std::size_t size = text.empty() ? 0 : 1;
    while (size < text.size() && continues_utf8(text[size]))
        ++size;
    return text.substr(0, size);
}

}

std::optional<std::string> masked_json(std::string_view body)
{
    json_reader reader{body}; // bounds the depth, which the document's own parser does not
    if (!reader.skip() || !reader.finish()) return std::nullopt;
    auto document = ordered_json::parse(body, nullptr, false);
    if (document.is_discarded()) return std::nullopt;
    mask("", document);
    return document.dump(2);
}

std::string masked_text(std::string_view text)
{
    auto const shortened = [](std::string_view part) { return std::string{first_of(part)} + ellipsis; };
    auto const at = text.rfind('@');
    if (at == std::string_view::npos) return text.empty() ? std::string{} : shortened(text);
    auto const domain = text.substr(at + 1);
    auto const dot = domain.rfind('.');
    auto const ending = dot == std::string_view::npos ? std::string_view{} : domain.substr(dot);
    return shortened(text.substr(0, at)) + "@" + shortened(domain) + std::string{ending};
}

}
