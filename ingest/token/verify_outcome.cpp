#include "ingest/token/verify_outcome.hpp"

namespace clerk_strapi::ingest
{

std::string_view to_string(verify_outcome outcome)
{
    switch (outcome) {
    case verify_outcome::allowed: return "allowed";
    case verify_outcome::anonymous: return "anonymous";
    case verify_outcome::invalid: return "invalid";
    case verify_outcome::expired: return "expired";
    case verify_outcome::forbidden: return "forbidden";
    case verify_outcome::pending: return "pending";
    case verify_outcome::unavailable: return "unavailable";
    }
    return "unavailable";
}

}
