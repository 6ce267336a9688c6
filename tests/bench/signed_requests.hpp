#pragma once

// Complete HTTP requests with signed webhooks, as Svix sends them.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace clerk_strapi::bench
{

struct request_range
{
    std::uint64_t series{0};
    std::size_t count{0};
};

// user.created of users 0 to count - 1 of the series, signed for this moment. Throws std::runtime_error when the
// secret cannot be used.
[[nodiscard]] std::vector<std::string> make_signed_requests(request_range range, std::string const& secret);

}
