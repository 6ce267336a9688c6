#pragma once

// Who answers a request. Apart from what a request and a response are, so that whoever only reads them needs no
// coroutines: the fuzzers' compiler has none.

#include "common/http/message.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace clerk_strapi::http
{

using handler = std::function<boost::asio::awaitable<response>(request_view const&)>;

}
