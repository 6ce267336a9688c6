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

// A carriage return is allowed before a line feed only.
bool has_stray_carriage_return(std::string_view line) { return line.find('\r') != std::string_view::npos; }

}

head_scan::progress head_scan::advance(std::string_view head, head_limits const& limits)
{
    if (!head.empty() && !begins_a_method(head.front())) return progress::malformed;
    while (scanned_ < head.size()) {
        auto const* found = static_cast<char const*>(std::memchr(head.data() + scanned_, '\n', head.size() - scanned_));
        if (found == nullptr) break;
        auto const line_feed = static_cast<std::size_t>(found - head.data());
        auto const found_line = end_of_line(head, line_feed, limits);
        if (found_line != progress::need_more) return found_line;
        scanned_ = line_start_ = line_feed + 1;
    }
    scanned_ = std::max(scanned_, head.size());
    // One byte more than the longest line: the carriage return may have arrived without its line feed.
    if (lines_ == 0 && head.size() > limits.target_bytes_max + around_target_bytes + 1)
        return progress::target_too_long;
    return head.size() > limits.bytes_max ? progress::too_large : progress::need_more;
}

head_scan::progress head_scan::end_of_line(std::string_view head, std::size_t line_feed, head_limits const& limits)
{
    if (line_feed == line_start_ || head[line_feed - 1] != '\r') return progress::malformed;
    auto const line = head.substr(line_start_, line_feed - 1 - line_start_);
    if (has_stray_carriage_return(line)) return progress::malformed;
    if (line.empty()) {
        if (lines_ == 0) return progress::malformed;
        size_ = line_feed + 1;
        return size_ > limits.bytes_max ? progress::too_large : progress::complete;
    }
    if (lines_ == 0) {
        if (!ends_with_version(line)) return progress::malformed;
        if (line.size() > limits.target_bytes_max + around_target_bytes) return progress::target_too_long;
    } else if (line.front() == ' ' || line.front() == '\t') {
        return progress::malformed;
    }
    ++lines_;
    return lines_ > limits.fields_max + 1 ? progress::too_large : progress::need_more;
}

}
