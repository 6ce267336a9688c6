// Covers I5, I6 and B17: a key set gives only keys that may verify session tokens, each under a kid that no other key
// has, and no weak key; a set that a full parse rejects gives none.

#include "ingest/token/key_set.hpp"
#include "tests/fuzz/plain_json.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <bit>

namespace clerk_strapi::fuzz
{
namespace
{

using nlohmann::json;

// Bits of a number in base64url; 0 when its text is invalid. Leading zero bytes do not count.
std::size_t bits_of(std::string const& base64url)
{
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    auto const bytes = base64url.size() * 6 / 8;
    std::size_t place = 0; // of the digit, in sixes from the front
    for (auto const c : base64url) {
        auto const digit = alphabet.find(c);
        if (digit == std::string_view::npos) return 0;
        if (digit != 0) return bytes * 8 - place * 6 - (6 - std::bit_width(digit));
        ++place;
    }
    return 0;
}

bool absent_or(json const& key, char const* name, char const* wanted)
{
    auto const* const value = member(key, name);
    return value == nullptr || *value == wanted;
}

void check_key(json const& key)
{
    promise(text_member(key, "kty") == "RSA", "an RSA key");
    promise(absent_or(key, "use", "sig") && absent_or(key, "alg", "RS256"), "for signatures, RS256");
    auto const* const operations = member(key, "key_ops");
    promise(operations == nullptr
            || (operations->is_array()
                && std::find(operations->begin(), operations->end(), "verify") != operations->end()),
        "for verifying");
    auto const bits = bits_of(text_member(key, "n").value_or(""));
    promise(bits >= 2048 && bits <= 8192, "of 2048 to 8192 bits");
    auto const exponent_bits = bits_of(text_member(key, "e").value_or(""));
    promise(exponent_bits >= 2 && exponent_bits <= 64, "with an exponent over 1 and of at most 64 bits");
}

void check_key_set(std::string_view input)
{
    auto const set = ingest::parse_jwks(input);
    if (!set) return promise(set.error().size() < 200, "a fault is a sentence, without the document (I6)");
    auto const plain = read_plainly(input, 16);
    if (plain.is_beyond_us) return;
    promise(plain.good(), "a key set is strict JSON");
    auto const* const keys = member(plain.value, "keys");
    promise(keys != nullptr && keys->is_array() && keys->size() <= 64, "a list of at most 64 keys");
    promise(!set->keys.empty() && set->keys.size() + set->ignored.size() == keys->size(), "each is used or ignored");
    for (auto const& [kid, key] : set->keys) {
        auto const named = [&, &id = kid](json const& one) { return text_member(one, "kid") == id; };
        promise(std::count_if(keys->begin(), keys->end(), named) == 1, "a repeated kid is no key");
        check_key(*std::find_if(keys->begin(), keys->end(), named));
        promise(!key.verifies("this was not signed", std::string(256, '\1')), "no key verifies an unsigned text");
    }
}

[[maybe_unused]] bool const listed = list("key_set", check_key_set);

}
}
