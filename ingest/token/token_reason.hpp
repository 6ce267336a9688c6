#pragma once

// Why a session token is not accepted. The names are Clerk's own (its SDK's reasons), so that an operator can look
// them up; the log has the reason, the caller only its class.

#include <cstddef>
#include <string_view>

namespace clerk_strapi::ingest
{

enum class token_reason {
    missing, // session-token-missing: no token was presented
    invalid, // token-invalid: not three canonical parts, not a JSON object, a claim of the wrong kind
    too_large, // token-invalid: over 8 KiB
    type_mismatch, // token-type-mismatch: a machine's, OAuth's or template's token, or an API key
    invalid_algorithm, // token-invalid-algorithm: anything but RS256
    kid_mismatch, // jwk-kid-mismatch: the key set is known and has no such key
    invalid_signature, // token-invalid-signature
    invalid_issuer, // token-invalid-issuer: another instance, or a look-alike
    invalid_authorized_parties, // token-invalid-authorized-parties: azp, or the Origin of a cookie's request
    expired, // token-expired
    not_active_yet, // token-not-active-yet: nbf lies ahead
    issued_in_the_future, // token-iat-in-the-future
    pending, // session-pending: the session has open tasks and counts as signed out (sts)
};
inline constexpr std::size_t token_reasons = 13;
[[nodiscard]] std::string_view to_string(token_reason reason);

}
