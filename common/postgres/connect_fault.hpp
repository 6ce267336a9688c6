#pragma once

// libpq's message about a failed connection, in one line, with the fix.

#include <string>
#include <string_view>

namespace clerk_strapi::postgres
{

// The fix for this message; empty: no fix is known.
[[nodiscard]] std::string_view connect_advice(std::string_view message);

// The line of the message that names the cause, with the fix. For a host with several addresses, libpq writes several
// lines.
[[nodiscard]] std::string connect_fault(std::string_view message);

}
