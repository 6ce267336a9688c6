#pragma once

// Finds the end of a header block. Rejects at once what two parsers could read differently: a bare LF or CR, folded
// lines, the bytes of another protocol. Pure; reads each byte once.

#include <cstddef>
#include <string_view>

namespace clerk_strapi::http
{

struct head_limits
{
    std::size_t bytes_max{16 * 1024};
    std::size_t fields_max{100};
    std::size_t target_bytes_max{4 * 1024};
};

class head_scan
{
public:
    enum class progress { need_more, complete, malformed, target_too_long, too_large };

    // `head` is everything that was received of this request, from its first byte.
    [[nodiscard]] progress advance(std::string_view head, head_limits const& limits);
    // The bytes of the complete block, with its empty line.
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    [[nodiscard]] progress end_of_line(std::string_view head, std::size_t line_feed, head_limits const& limits);

    std::size_t scanned_{0};
    std::size_t line_start_{0};
    std::size_t lines_{0};
    std::size_t size_{0};
};

}
