#include "common/event/sha256.hpp"

#include "common/event/hex.hpp"

#include <openssl/evp.h>

#include <exception>

namespace clerk_strapi
{

sha256_digest sha256(std::string_view text)
{
    // Fetched once, because a look-up per call costs more than hashing two kilobytes.
    static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    sha256_digest digest;
    // It fails only without memory or without the algorithm, and no caller can handle that.
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, algorithm, nullptr) != 1) std::terminate();
    return digest;
}

std::string hex_of(sha256_digest const& digest)
{
    std::string hex;
    for (auto const byte : digest)
        append_hex(hex, byte);
    return hex;
}

sha256_digest digest_from_hex(std::string_view hex)
{
    sha256_digest digest{};
    for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i)
        digest[i] = static_cast<unsigned char>(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
    return digest;
}

}
