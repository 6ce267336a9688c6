#include "ingest/gateway/request_path.hpp"

#include "common/event/hex.hpp"

#include <algorithm>

namespace clerk_strapi::ingest
{
namespace
{

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_authority(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9')
            || std::string_view{".-_:[]"}.find(c) != std::string_view::npos;
    });
}

bool has_web_scheme(std::string_view uri, std::size_t scheme_size)
{
    std::string scheme{uri.substr(0, scheme_size)};
    std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
    return scheme == "http" || scheme == "https";
}

// The path as it was sent; nothing for what is neither a path nor an absolute URI of the web.
std::optional<std::string_view> raw_path(std::string_view uri)
{
    uri = uri.substr(0, uri.find('?'));
    if (uri.starts_with('/')) return uri;
    constexpr std::string_view separator = "://";
    auto const colon = uri.find(separator);
    if (colon == std::string_view::npos || !has_web_scheme(uri, colon)) return std::nullopt;
    uri.remove_prefix(colon + separator.size());
    auto const slash = std::min(uri.find('/'), uri.size());
    if (!is_authority(uri.substr(0, slash))) return std::nullopt;
    return slash == uri.size() ? "/" : uri.substr(slash);
}

// Bytes that some program reads as a separator, an end or an escape; written as they are or encoded.
bool is_odd(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f
        || std::string_view{"\\;#"}.find(static_cast<char>(byte)) != std::string_view::npos;
}
bool is_odd_raw(unsigned char byte) { return is_odd(byte) || byte == ' ' || byte >= 0x80; }
bool is_odd_encoded(unsigned char byte) { return is_odd(byte) || byte == '/' || byte == '%' || byte == '?'; }

// Decoded once and lower-cased; nothing for an odd form.
std::optional<std::string> decode_path(std::string_view raw)
{
    std::string path;
    path.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        auto const byte = static_cast<unsigned char>(raw[i]);
        if (byte != '%') {
            if (is_odd_raw(byte)) return std::nullopt;
            path += lower(raw[i]);
            continue;
        }
        if (raw.size() - i < 3) return std::nullopt;
        auto const high = hex_value(raw[i + 1]);
        auto const low = hex_value(raw[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        auto const decoded = static_cast<unsigned char>(high * 16 + low);
        if (is_odd_encoded(decoded)) return std::nullopt;
        path += lower(static_cast<char>(decoded));
        i += 2;
    }
    return path;
}

// Empty segments are dropped, so that slashes collapse and a last one changes nothing. Nothing when one is a dot
// segment.
std::optional<path_segments> split_path(std::string_view path)
{
    path_segments segments;
    while (!path.empty()) {
        auto const slash = std::min(path.find('/'), path.size());
        auto const segment = path.substr(0, slash);
        path.remove_prefix(std::min(slash + 1, path.size()));
        if (segment == "." || segment == "..") return std::nullopt;
        if (!segment.empty()) segments.emplace_back(segment);
    }
    return segments;
}

}

std::optional<path_segments> read_path(std::string_view uri)
{
    auto const raw = raw_path(uri);
    auto const path = raw ? decode_path(*raw) : std::nullopt;
    return path ? split_path(*path) : std::nullopt;
}

}
