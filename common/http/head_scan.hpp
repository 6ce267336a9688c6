#pragma once

// Finds the end of a header block and refuses at once what no client of ours sends and what two parsers
// could read differently: bare LF or CR, folded lines, another protocol's bytes. Pure; looks at each byte once.

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
    enum class verdict { need_more, complete, malformed, target_too_long, too_large };

    // `head` is everything received so far of this request, always from its first byte.
    [[nodiscard]] verdict look(std::string_view head, head_limits const& limits);
    // Bytes of the block with its empty line, once complete.
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    [[nodiscard]] verdict end_of_line(std::string_view head, std::size_t line_feed, head_limits const& limits);

    std::size_t looked_{0};
    std::size_t line_start_{0};
    std::size_t lines_{0};
    std::size_t size_{0};
};

}
