#pragma once

// Session tokens as Clerk signs them, and as attackers write them: any header, any payload, a test key. Each process
// generates one RSA key of 2048 bits, and a second one for attackers.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clerk_strapi::tests
{

inline constexpr std::string_view token_issuer = "https://clerk.example.com";
inline constexpr std::string_view token_kid = "ins_2abc";
inline constexpr std::string_view token_party = "https://app.example.com";

[[nodiscard]] std::string encode_base64url(std::string_view bytes);

class minting_key
{
public:
    [[nodiscard]] static minting_key const& ours();
    [[nodiscard]] static minting_key const& strangers();
    [[nodiscard]] static minting_key const& fixed(); // the same in every process, for tokens that are stored in files

    [[nodiscard]] std::string pem() const; // the public half
    [[nodiscard]] std::string modulus() const; // big-endian bytes
    [[nodiscard]] std::string exponent() const;
    [[nodiscard]] std::string jwk(std::string_view kid = token_kid) const; // {"kty":"RSA",...}
    [[nodiscard]] std::string jwks(std::string_view kid = token_kid) const; // {"keys":[...]}
    // The raw signature; digest is "SHA256", "SHA384" or "SHA512".
    [[nodiscard]] std::string sign(std::string_view bytes, std::string_view digest = "SHA256", bool pss = false) const;

    minting_key(minting_key const&) = delete;
    minting_key& operator=(minting_key const&) = delete;
    ~minting_key();

private:
    minting_key();
    explicit minting_key(std::string_view pkcs8_base64);
    void* key_;
};

// Members of one JSON object, in order; values are JSON texts.
class json_members
{
public:
    explicit json_members(std::vector<std::pair<std::string, std::string>> members)
        : members_{std::move(members)}
    {
    }
    json_members& set(std::string_view name, std::string value); // replaces the member, or appends it
    json_members& add(std::string_view name, std::string value); // appends, even a duplicate name
    json_members& drop(std::string_view name);
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::pair<std::string, std::string>> members_;
};

// {"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":"ins_2abc","typ":"JWT"}
[[nodiscard]] json_members token_header();
// A token of version 2 for user_2abc, sess_2abc, issued `now`, good from 10 s before until 60 s after.
[[nodiscard]] json_members token_claims(std::int64_t now, std::string_view clerk_id = "user_2abc");

[[nodiscard]] std::string sign_token(
    std::string_view header, std::string_view payload, minting_key const& key = minting_key::ours());
[[nodiscard]] std::string mint(json_members const& claims, json_members const& header = token_header(),
    minting_key const& key = minting_key::ours());
// A valid token of this user.
[[nodiscard]] std::string mint(std::int64_t now, std::string_view clerk_id = "user_2abc");

}
