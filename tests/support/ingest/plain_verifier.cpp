#include "tests/support/ingest/plain_verifier.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <set>
#include <vector>

namespace clerk_strapi::tests
{
namespace
{

using nlohmann::json;

std::optional<std::string> decode(std::string const& part)
{
    static std::regex const shape{"[A-Za-z0-9_-]+"};
    if (!std::regex_match(part, shape)) return std::nullopt;
    auto text = part;
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    std::string bytes(text.size(), '\0');
    auto const size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
        reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(size) - static_cast<std::size_t>(std::count(text.begin(), text.end(), '=')));
    // Canonical: encoding gives the same text.
    std::string again(text.size() + 1, '\0');
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(again.data()),
        reinterpret_cast<unsigned char const*>(bytes.data()), static_cast<int>(bytes.size()));
    again.resize(text.size());
    return again == text ? std::optional{bytes} : std::nullopt;
}

// An object with no name twice, at most 16 levels, nothing around it.
std::optional<json> parse(std::string const& text)
{
    // What the library takes for the end, or skips.
    if (text.find('\0') != std::string::npos || text.starts_with("\xef\xbb\xbf")) return std::nullopt;
    std::vector<std::set<std::string>> names;
    int levels = 0;
    auto good = true;
    using on = json::parse_event_t;
    auto const watch = [&](int, on event, json& parsed) {
        if (event == on::object_start || event == on::array_start) good = ++levels <= 16 && good;
        if (event == on::object_end || event == on::array_end) --levels;
        if (event == on::object_start) names.emplace_back();
        if (event == on::object_end) names.pop_back();
        if (event == on::key) good = names.back().insert(parsed.get<std::string>()).second && good;
        return true;
    };
    auto const whole = json::parse(text, watch, false);
    return good && whole.is_object() ? std::optional{whole} : std::nullopt;
}

bool signed_by(std::string const& pem, std::string const& bytes, std::string const& signature)
{
    std::unique_ptr<BIO, decltype(&BIO_free)> const memory{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key{
        PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1
        && EVP_DigestVerify(context.get(), reinterpret_cast<unsigned char const*>(signature.data()), signature.size(),
               reinterpret_cast<unsigned char const*>(bytes.data()), bytes.size())
        == 1;
}

bool is_text(json const& object, char const* name) { return object.contains(name) && object[name].is_string(); }
bool matches(json const& object, char const* name, char const* pattern)
{
    return is_text(object, name) && std::regex_match(object[name].get<std::string>(), std::regex{pattern});
}
// Optional claims: absent, null, or a text.
bool is_text_or_none(json const& object, char const* name)
{
    return !object.contains(name) || object[name].is_null() || object[name].is_string();
}
bool has(json const& object, char const* name) { return object.contains(name) && !object[name].is_null(); }

bool good_header(json const& header)
{
    for (auto const* const name : {"crit", "b64", "zip"})
        if (header.contains(name)) return false;
    auto const one_of = [&](char const* name, std::set<json> const& values) {
        return !header.contains(name) || values.contains(header[name]);
    };
    return header.contains("alg") && header["alg"] == "RS256" && one_of("typ", {"JWT"})
        && one_of("cat", {"cl_B7d4PD111AAA", "cl_I7d4PD111III"}) && (!header.contains("kid") || is_text(header, "kid"));
}

bool good_times(json const& claims, std::int64_t now)
{
    for (auto const* const name : {"exp", "iat", "nbf"}) {
        if (!claims.contains(name) || !claims[name].is_number_integer()) return false;
        if (claims[name] < 1'000'000'000 || claims[name] > 100'000'000'000) return false;
    }
    auto const exp = claims["exp"].get<std::int64_t>();
    auto const iat = claims["iat"].get<std::int64_t>();
    return exp > now - 5 && claims["nbf"] <= now + 5 && iat <= now + 5 && exp - iat <= 600;
}

bool good_actor(json const& claims)
{
    if (!has(claims, "act")) return true;
    auto const& actor = claims["act"];
    return actor.is_object() && is_text(actor, "sub") && actor["sub"] != "" && is_text_or_none(actor, "iss")
        && is_text_or_none(actor, "sid") && is_text_or_none(actor, "type");
}

bool all_texts(json const& object, std::vector<char const*> const& names)
{
    return std::all_of(names.begin(), names.end(), [&](char const* name) { return is_text_or_none(object, name); });
}

bool good_organization(json const& claims)
{
    if (claims.contains("v") && claims["v"].is_number_integer() && claims["v"] == 2) {
        if (!has(claims, "o")) return true;
        auto const& organization = claims["o"];
        return organization.is_object() && is_text(organization, "id") && organization["id"] != ""
            && all_texts(organization, {"slg", "rol", "per", "fpm"}) && is_text_or_none(claims, "fea");
    }
    if (!has(claims, "org_id")) return true;
    if (!is_text(claims, "org_id") || claims["org_id"] == "") return false;
    if (!all_texts(claims, {"org_slug", "org_role"})) return false;
    if (!has(claims, "org_permissions")) return true;
    auto const& permissions = claims["org_permissions"];
    return permissions.is_array()
        && std::all_of(permissions.begin(), permissions.end(), [](json const& one) { return one.is_string(); });
}

}

std::optional<std::string> plain_verify(std::string const& token, plain_policy const& policy, std::int64_t now)
{
    static std::regex const three_parts{R"(([^.]+)\.([^.]+)\.([^.]+))"};
    std::smatch part;
    if (token.size() > 8192 || !std::regex_match(token, part, three_parts)) return std::nullopt;
    auto const header_text = decode(part[1]);
    auto const payload_text = decode(part[2]);
    auto const signature = decode(part[3]);
    if (!header_text || !payload_text || !signature) return std::nullopt;
    auto const header = parse(*header_text);
    if (!header || !good_header(*header)) return std::nullopt;
    if (!signed_by(policy.public_key_pem, part[1].str() + "." + part[2].str(), *signature)) return std::nullopt;

    return plain_accept(*payload_text, policy, now);
}

std::optional<std::string> plain_accept(std::string const& payload, plain_policy const& policy, std::int64_t now)
{
    auto const claims = parse(payload);
    if (!claims) return std::nullopt;
    auto const accepted = matches(*claims, "sub", "user_[A-Za-z0-9]{1,64}")
        && matches(*claims, "sid", "sess_[A-Za-z0-9]{1,123}") && is_text(*claims, "iss")
        && (*claims)["iss"] == policy.issuer && is_text(*claims, "azp") && (*claims)["azp"] == policy.authorized_party
        && good_times(*claims, now) && is_text_or_none(*claims, "sts")
        && !(has(*claims, "sts") && (*claims)["sts"] == "pending") && good_actor(*claims) && good_organization(*claims);
    if (!accepted) return std::nullopt;
    return (*claims)["sub"].get<std::string>() + " " + (*claims)["sid"].get<std::string>();
}

}
