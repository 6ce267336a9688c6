#pragma once

// The three headers of a signed webhook, in either family (svix-*, webhook-*). Their form is checked before the
// signature. The rules are stricter than those of the senders' libraries: a value that two parsers could read as
// different ids or times is rejected.

#include "common/event/result.hpp"
#include "ingest/webhook/reject_reason.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

struct signed_headers
{
    std::string_view id; // the same on every retry of a message
    std::string_view timestamp; // as received: the signature covers this text
    std::int64_t seconds{0}; // the timestamp as a number
    std::string_view signatures; // items separated by spaces
};

class webhook_headers
{
public:
    // Call for every header of the request, in any order; other headers are ignored. Values are already trimmed.
    void add(std::string_view name, std::string_view value);

    [[nodiscard]] result<signed_headers, reject_reason> read() const;
    // For the response to missing_header, for example "svix-id, svix-signature".
    [[nodiscard]] std::string missing() const;

private:
    static constexpr std::size_t names = 3;
    // By name, then by family.
    std::array<std::array<std::string_view, 2>, names> values_{}; // a blank one is empty
    std::array<std::array<bool, 2>, names> present_{};
    bool repeated_{false};
};

inline constexpr std::size_t signature_items_max = 16;
inline constexpr std::size_t signature_bytes_max = 4 * 1024;

}
