#include "common/http/head_scan.hpp"

#include <algorithm>
#include <cstring>

namespace clerk_strapi::http
{
namespace
{

constexpr std::size_t around_target_bytes = 64; // of the first line: method, spaces, version

bool begins_a_method(char c) { return c >= 'A' && c <= 'Z'; }

// "... HTTP/1.1": anything else on the first line is HTTP/0.9, HTTP/2 or noise.
bool ends_with_version(std::string_view line)
{
    constexpr std::size_t version_bytes = 9;
    return line.size() > version_bytes && line.substr(line.size() - version_bytes).starts_with(" HTTP/1.");
}

// Carriage returns belong before line feeds only.
bool has_stray_carriage_return(std::string_view line) { return line.find('\r') != std::string_view::npos; }

}

head_scan::verdict head_scan::look(std::string_view head, head_limits const& limits)
{
    if (!head.empty() && !begins_a_method(head.front())) return verdict::malformed;
    while (looked_ < head.size()) {
        auto const* found = static_cast<char const*>(std::memchr(head.data() + looked_, '\n', head.size() - looked_));
        if (found == nullptr) break;
        auto const line_feed = static_cast<std::size_t>(found - head.data());
        auto const seen = end_of_line(head, line_feed, limits);
        if (seen != verdict::need_more) return seen;
        looked_ = line_start_ = line_feed + 1;
    }
    looked_ = std::max(looked_, head.size());
    // One more than a whole line may have: the carriage return may be here already, and the line feed not yet.
    if (lines_ == 0 && head.size() > limits.target_bytes_max + around_target_bytes + 1) return verdict::target_too_long;
    return head.size() > limits.bytes_max ? verdict::too_large : verdict::need_more;
}

head_scan::verdict head_scan::end_of_line(std::string_view head, std::size_t line_feed, head_limits const& limits)
{
    if (line_feed == line_start_ || head[line_feed - 1] != '\r') return verdict::malformed;
    auto const line = head.substr(line_start_, line_feed - 1 - line_start_);
    if (has_stray_carriage_return(line)) return verdict::malformed;
    if (line.empty()) {
        if (lines_ == 0) return verdict::malformed;
        size_ = line_feed + 1;
        return size_ > limits.bytes_max ? verdict::too_large : verdict::complete;
    }
    if (lines_ == 0) {
        if (!ends_with_version(line)) return verdict::malformed;
        if (line.size() > limits.target_bytes_max + around_target_bytes) return verdict::target_too_long;
    } else if (line.front() == ' ' || line.front() == '\t') {
        return verdict::malformed;
    }
    ++lines_;
    return lines_ > limits.fields_max + 1 ? verdict::too_large : verdict::need_more;
}

}
