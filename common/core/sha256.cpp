#include "common/core/sha256.hpp"

#include <openssl/evp.h>

#include <exception>

namespace clerk_strapi
{

sha256_digest sha256(std::string_view text)
{
    // Fetched once: looking the algorithm up on every call costs more than hashing two kilobytes.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    sha256_digest digest;
    // Fails only without memory or without the algorithm: nothing a caller could do better.
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, algorithm, nullptr) != 1) std::terminate();
    return digest;
}

}
