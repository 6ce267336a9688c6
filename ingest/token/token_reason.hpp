#pragma once

// Why a session token is rejected. The names are those of Clerk's SDK, so that an operator can look them up. The log
// has the reason; the response has only its class.

#include <cstddef>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class token_reason {
    missing, // session-token-missing: no token was sent
    invalid, // token-invalid: not three canonical parts, not a JSON object, a claim of the wrong type
    too_large, // token-invalid: over 8 KiB
    type_mismatch, // token-type-mismatch: a token of a machine, OAuth client or template, or an API key
    invalid_algorithm, // token-invalid-algorithm: not RS256
    kid_mismatch, // jwk-kid-mismatch: the key set has no such key
    invalid_signature, // token-invalid-signature
    invalid_issuer, // token-invalid-issuer: another Clerk instance, or a similar name
    invalid_authorized_parties, // token-invalid-authorized-parties: azp, or the Origin of a request with a cookie
    expired, // token-expired
    not_active_yet, // token-not-active-yet: nbf is in the future
    issued_in_the_future, // token-iat-in-the-future
    pending, // session-pending: the session has open tasks and counts as signed out (sts)
};
[[nodiscard]] std::string_view to_string(token_reason reason);

}
