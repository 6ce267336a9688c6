#pragma once

// A value that must never be seen: it has no conversion, no comparison that leaks time, and prints as
// [redacted]. Whoever needs the bytes says so with reveal() (I6).

#include <iosfwd>
#include <string>
#include <string_view>

namespace clerk_strapi
{

class secret
{
public:
    secret() = default;
    explicit secret(std::string value)
        : value_{std::move(value)}
    {
    }

    [[nodiscard]] std::string const& reveal() const { return value_; }
    [[nodiscard]] bool empty() const { return value_.empty(); }

    // Takes the same time wherever the two differ; the length is not hidden.
    [[nodiscard]] bool equals(std::string_view other) const;

private:
    std::string value_;
};

std::ostream& operator<<(std::ostream& out, secret const& value);

}
