#include "ingest/token/token_reason.hpp"

namespace clerk_strapi::ingest
{

std::string_view to_string(token_reason reason)
{
    switch (reason) {
    case token_reason::missing: return "session-token-missing";
    case token_reason::invalid:
    case token_reason::too_large: return "token-invalid";
    case token_reason::type_mismatch: return "token-type-mismatch";
    case token_reason::invalid_algorithm: return "token-invalid-algorithm";
    case token_reason::kid_mismatch: return "jwk-kid-mismatch";
    case token_reason::invalid_signature: return "token-invalid-signature";
    case token_reason::invalid_issuer: return "token-invalid-issuer";
    case token_reason::invalid_authorized_parties: return "token-invalid-authorized-parties";
    case token_reason::expired: return "token-expired";
    case token_reason::not_active_yet: return "token-not-active-yet";
    case token_reason::issued_in_the_future: return "token-iat-in-the-future";
    case token_reason::pending: return "session-pending";
    }
    return "token-invalid";
}

}
