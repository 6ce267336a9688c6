#include "common/config/secret.hpp"

#include <openssl/crypto.h>

#include <ostream>

namespace clerk_strapi
{

bool secret::equals(std::string_view other) const
{
    return value_.size() == other.size() && CRYPTO_memcmp(value_.data(), other.data(), other.size()) == 0;
}

std::ostream& operator<<(std::ostream& out, secret const& value) { return out << (value.empty() ? "" : "[redacted]"); }

}
