#pragma once

// The function that answers a request. Not in message.hpp, because the fuzzers include that header and their compiler
// has no coroutines.

#include "common/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace clerk_strapi::http
{

using handler = std::function<boost::asio::awaitable<response>(request_view const&)>;

}
