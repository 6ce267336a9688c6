#include "ingest/token/publishable_key.hpp"

#include "common/event/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

namespace clerk_strapi::ingest
{
namespace
{

constexpr std::string_view live_prefix = "pk_live_";
constexpr std::string_view test_prefix = "pk_test_";
constexpr std::size_t suffix_characters = 8;
constexpr std::size_t host_characters_max = 253;

// Padded or not.
std::optional<std::string> decode_padded(std::string_view text)
{
    auto const padding = text.size() - std::min(text.find_last_not_of('=') + 1, text.size());
    if (padding > 2 || (padding > 0 && text.size() % 4 != 0)) return std::nullopt;
    return decode_base64(text.substr(0, text.size() - padding));
}

bool is_host(std::string_view host)
{
    auto const allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    };
    auto const inner_dot = host.find('.');
    return host.size() <= host_characters_max && inner_dot != std::string_view::npos
        && std::all_of(host.begin(), host.end(), allowed) && host.front() != '.' && host.front() != '-'
        && host.back() != '.' && host.back() != '-' && host.find("..") == std::string_view::npos;
}

// The first 8 characters of base64url(SHA-1(key)): 48 bits, so 6 bytes make them.
std::string cookie_suffix_of(std::string_view key)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned digest_size = 0;
    EVP_Digest(key.data(), key.size(), digest.data(), &digest_size, EVP_sha1(), nullptr);
    std::array<unsigned char, suffix_characters + 1> text; // ends with a NUL
    EVP_EncodeBlock(text.data(), digest.data(), 6);
    std::string suffix{reinterpret_cast<char const*>(text.data()), suffix_characters};
    std::replace(suffix.begin(), suffix.end(), '+', '-');
    std::replace(suffix.begin(), suffix.end(), '/', '_');
    return suffix;
}

}

result<publishable_key, std::string> parse_publishable_key(std::string_view text)
{
    if (text.starts_with("sk_")) return std::string{"is a secret key (sk_...): the publishable key (pk_...) is needed"};
    publishable_key key;
    key.live = text.starts_with(live_prefix);
    if (!key.live && !text.starts_with(test_prefix))
        return std::string{"does not begin with pk_live_ or pk_test_: copy the publishable key once more"};

    auto const decoded = decode_padded(text.substr(live_prefix.size()));
    if (!decoded || !decoded->ends_with('$'))
        return std::string{"is cut or garbled (the host in it has no end): copy the publishable key once more"};
    key.frontend_api = decoded->substr(0, decoded->size() - 1);
    std::transform(key.frontend_api.begin(), key.frontend_api.end(), key.frontend_api.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (!is_host(key.frontend_api)) return std::string{"holds no host name: copy the publishable key once more"};
    key.cookie_suffix = cookie_suffix_of(text);
    return key;
}

}
