#pragma once

// Is this webhook from whoever knows one of our secrets, and of now? Svix' scheme v1: HMAC-SHA256 over
// id.timestamp.body, base64 in a list of which one item must match. Other versions are skipped. Comparison
// takes the same time wherever the texts differ; the clock is an argument.

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

// One secret, with the two hash states that only depend on it computed once.
class signing_key
{
public:
    // whsec_ (optional) and base64, padded or not, of 24 to 128 bytes. The error is a sentence without the secret.
    [[nodiscard]] static result<signing_key, std::string> parse(std::string_view text);

    // Of any length: what parse() calls once it likes the text.
    [[nodiscard]] static signing_key from_bytes(std::string key);

    // "v1," and 44 characters, as the sender writes it.
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

// A comma-separated list; refuses the whole list when one of them is bad, and names its place.
[[nodiscard]] result<std::vector<signing_key>, std::string> parse_signing_keys(std::string_view list);

class webhook_verifier
{
public:
    explicit webhook_verifier(std::vector<signing_key> keys)
        : keys_{std::move(keys)}
    {
    }

    // The place in the list of the secret that made the signature.
    [[nodiscard]] result<std::size_t, reject_reason> verify(
        signed_headers const& headers, std::string_view body, std::chrono::system_clock::time_point now) const;

    // The same whatever the time is: whether a webhook out of time was made by Clerk all the same.
    [[nodiscard]] std::optional<std::size_t> signer_of(signed_headers const& headers, std::string_view body) const;

    // A rotation: the next webhook is judged by these.
    void replace(std::vector<signing_key> keys) { keys_ = std::move(keys); }

private:
    std::vector<signing_key> keys_;
};

}
