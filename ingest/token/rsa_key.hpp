#pragma once

// A public key for verifying session tokens; hides OpenSSL. Weak keys are rejected at construction: under 2048 bits, an
// exponent that is even or 1, a ROCA modulus.

#include "common/event/result.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace clerk_strapi::ingest
{

class rsa_key
{
public:
    // A "PUBLIC KEY" block. Newlines may be missing or written as \n, as in environment variables. The error is a
    // sentence for the operator.
    [[nodiscard]] static result<rsa_key, std::string> from_pem(std::string_view text);
    // The big-endian bytes of a JWK's n and e.
    [[nodiscard]] static result<rsa_key, std::string> from_numbers(std::string_view modulus, std::string_view exponent);

    // RS256: RSASSA-PKCS1-v1_5 with SHA-256. Not thread-safe.
    [[nodiscard]] bool verifies(std::string_view signed_bytes, std::string_view signature) const;

private:
    struct handle;
    explicit rsa_key(std::shared_ptr<handle const> key)
        : handle_{std::move(key)}
    {
    }
    std::shared_ptr<handle const> handle_;
};

}
