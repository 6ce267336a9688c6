#pragma once

// A value that must never be printed (I6). It has no conversion and prints as [redacted]; reveal() returns the value.

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

    // Takes the same time wherever the two differ. The length is not hidden.
    [[nodiscard]] bool equals(std::string_view other) const;

private:
    std::string value_;
};

std::ostream& operator<<(std::ostream& out, secret const& value);

}
