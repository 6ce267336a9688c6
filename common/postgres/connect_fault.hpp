#pragma once

// libpq's message about a connection that failed, in one line, with what to do about it.

#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

// What an operator should do about this message; empty: nothing is known beyond the message.
[[nodiscard]] std::string_view connect_advice(std::string_view message);

// The line of the message that names the cause, with the advice. A host with several addresses has several lines.
[[nodiscard]] std::string connect_fault(std::string_view message);

}
