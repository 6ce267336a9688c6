#pragma once

// Verifies a webhook's signature and timestamp. Svix' scheme v1: HMAC-SHA256 over id.timestamp.body, as base64 in a
// list of which one item must match. Items of other versions are skipped. The comparison takes constant time (A19). The
// clock is an argument.

#include "common/event/result.hpp"
#include "ingest/webhook/headers.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_md_ctx_st;

namespace clerk_strapi::ingest
{

inline constexpr std::chrono::seconds signature_tolerance{300};
inline constexpr std::size_t signing_keys_max = 10;

// One secret, with the two HMAC states that depend only on it precomputed.
class signing_key
{
public:
    // `text` is whsec_ (optional) and base64, padded or not, of 24 to 128 bytes. The error never contains the secret.
    [[nodiscard]] static result<signing_key, std::string> parse(std::string_view text);

    // A key of any length.
    [[nodiscard]] static signing_key from_bytes(std::string key);

    // "v1," and 44 characters of base64, as the sender writes it.
    [[nodiscard]] std::string sign(std::string_view id, std::string_view timestamp, std::string_view body) const;

private:
    friend class webhook_verifier;
    struct destroy
    {
        void operator()(evp_md_ctx_st* context) const;
    };
    using context = std::unique_ptr<evp_md_ctx_st, destroy>;
    static context begin(std::string_view key, unsigned char pad);

    context inner_;
    context outer_;
};

// A comma-separated list. One invalid secret makes the whole list an error, which names its position.
[[nodiscard]] result<std::vector<signing_key>, std::string> parse_signing_keys(std::string_view list);

class webhook_verifier
{
public:
    explicit webhook_verifier(std::vector<signing_key> keys)
        : keys_{std::move(keys)}
    {
    }

    // Returns the position in the list of the secret that made the signature.
    [[nodiscard]] result<std::size_t, reject_reason> verify(
        signed_headers const& headers, std::string_view body, std::chrono::system_clock::time_point now) const;

    // The same without the check of time: distinguishes a wrong clock from a wrong signature.
    [[nodiscard]] std::optional<std::size_t> signer_of(signed_headers const& headers, std::string_view body) const;

    // For a rotation: the next webhook is verified with these.
    void replace(std::vector<signing_key> keys) { keys_ = std::move(keys); }

private:
    std::vector<signing_key> keys_;
};

}
