#pragma once

// The signing keys of one Clerk instance, parsed from a JWKS document. Pure; token/key_source fetches the document.

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
    std::vector<std::string> ignored; // one sentence per ignored key: weak, not for signing, ...
};

// RFC 7517, strict. An error: duplicate names, no usable key. A duplicate kid: every key with it is ignored. The error
// is a sentence for the log and never quotes the document.
[[nodiscard]] result<key_set, std::string> parse_jwks(std::string_view json);

}
