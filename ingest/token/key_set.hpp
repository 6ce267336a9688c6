#pragma once

// The keys of one Clerk instance: a JWKS document, or one PEM. Pure; who fetches it is edges/signing_key_source.

#include "common/event/result.hpp"
#include "ingest/token/rsa_key.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::ingest
{

inline constexpr std::size_t jwks_bytes_max = 1024 * 1024;
inline constexpr std::size_t jwks_keys_max = 64;

struct key_set
{
    std::map<std::string, rsa_key, std::less<>> keys; // by kid
    std::vector<std::string> ignored; // one sentence for each key that was passed over: weak, not for signing, ...
};

// RFC 7517, strict: duplicate names, a kid that comes twice (both are ignored), no usable key at all is a fault. The
// error is a sentence for the log, without a word of the document.
[[nodiscard]] result<key_set, std::string> parse_jwks(std::string_view json);

}
