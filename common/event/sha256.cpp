#include "common/event/sha256.hpp"

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

std::string hex_of(sha256_digest const& digest)
{
    constexpr auto digits = "0123456789abcdef";
    std::string hex;
    for (auto const byte : digest) {
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

sha256_digest digest_from_hex(std::string_view hex)
{
    sha256_digest digest{};
    auto const nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    for (std::size_t i = 0; i < digest.size() && 2 * i + 1 < hex.size(); ++i)
        digest[i] = static_cast<unsigned char>(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return digest;
}

}
