#pragma once

// The error responses that the HTTP layer sends itself, before or instead of a handler.

#include "common/http/message.hpp"

#include <cstddef>
#include <iterator>
#include <string_view>

namespace clerk_strapi::http
{

enum class fault {
    bad_request, // not HTTP/1.x, or a message that two parsers could read differently
    timeout, // header or body did not arrive in time
    too_large, // body over the limit
    uri_too_long, // request target over the limit
    unsupported_encoding, // Content-Encoding: bodies are never inflated
    expectation_failed, // Expect other than 100-continue
    headers_too_large, // header block over its bytes or its number of fields
    not_implemented, // CONNECT
    overloaded, // the memory for bodies is used up
    internal_error, // a handler threw an exception: a bug
};
inline constexpr fault faults[] = {fault::bad_request, fault::timeout, fault::too_large, fault::uri_too_long,
    fault::unsupported_encoding, fault::expectation_failed, fault::headers_too_large, fault::not_implemented,
    fault::overloaded, fault::internal_error};
static_assert(std::size(faults) == static_cast<std::size_t>(fault::internal_error) + 1); // keep it last

struct fault_row
{
    unsigned status;
    std::string_view type;
    std::string_view title;
};
[[nodiscard]] fault_row describe(fault what);

// Always closes the connection, because the bytes that follow cannot be trusted.
[[nodiscard]] response answer_for(fault what);

}
