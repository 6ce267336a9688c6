#include "ingest/token/key_set.hpp"

#include "common/event/base64.hpp"
#include "common/event/json_reader.hpp"

#include <map>
#include <optional>

namespace clerk_strapi::ingest
{
namespace
{

constexpr int depth_max = 16;

// A text member: absent, of another kind, or a text.
struct text_member
{
    bool present{false};
    std::optional<std::string> text;

    [[nodiscard]] bool absent_or(std::string_view wanted) const { return !present || text == wanted; }
};

struct json_web_key
{
    bool is_object{false};
    text_member type, id, use, algorithm, modulus, exponent;
    bool may_verify{true}; // by key_ops
};

text_member read_text(json_reader& reader) { return {true, reader.string()}; }

bool names_verify(json_reader& reader)
{
    if (reader.peek() != json_kind::array) {
        reader.skip();
        return false;
    }
    auto found = false;
    reader.array([&] {
        found |= reader.string() == "verify";
        return true;
    });
    return found;
}

json_web_key read_key(json_reader& reader)
{
    json_web_key key;
    if (reader.peek() != json_kind::object) {
        reader.skip();
        return key;
    }
    key.is_object = true;
    reader.object([&](std::string_view name) {
        if (name == "kty")
            key.type = read_text(reader);
        else if (name == "kid")
            key.id = read_text(reader);
        else if (name == "use")
            key.use = read_text(reader);
        else if (name == "alg")
            key.algorithm = read_text(reader);
        else if (name == "n")
            key.modulus = read_text(reader);
        else if (name == "e")
            key.exponent = read_text(reader);
        else if (name == "key_ops")
            key.may_verify = names_verify(reader);
        else
            reader.skip();
        return true;
    });
    return key;
}

result<rsa_key, std::string> to_rsa_key(json_web_key const& key)
{
    if (!key.is_object) return std::string{"is not an object"};
    if (key.type.text != "RSA") return std::string{"is not an RSA key"};
    if (!key.id.text || key.id.text->empty()) return std::string{"has no kid"};
    if (!key.use.absent_or("sig")) return std::string{"is for another use than signatures"};
    if (!key.may_verify) return std::string{"is not for verifying (key_ops)"};
    if (!key.algorithm.absent_or("RS256")) return std::string{"is for another algorithm than RS256"};
    auto const modulus = decode_base64url(key.modulus.text.value_or(""));
    auto const exponent = decode_base64url(key.exponent.text.value_or(""));
    if (!modulus || !exponent || modulus->empty() || exponent->empty())
        return std::string{"has no numbers n and e in base64url"};
    return rsa_key::from_numbers(*modulus, *exponent);
}

// Nothing: the document is not a key set.
std::optional<std::vector<json_web_key>> read_document(std::string_view json)
{
    json_reader reader{json, depth_max};
    if (reader.peek() != json_kind::object) return std::nullopt;
    std::optional<std::vector<json_web_key>> keys;
    reader.object([&](std::string_view name) {
        if (name != "keys" || reader.peek() != json_kind::array) return reader.skip();
        keys.emplace();
        return reader.array([&] {
            auto key = read_key(reader);
            if (keys->size() <= jwks_keys_max) keys->push_back(std::move(key)); // one more says: too many
            return true;
        });
    });
    return reader.finish() ? keys : std::nullopt;
}

}

result<key_set, std::string> parse_jwks(std::string_view json)
{
    if (json.size() > jwks_bytes_max) return std::string{"the key set is over 1 MiB"};
    auto const document = read_document(json);
    if (!document) return std::string{"what came is no key set: not strict JSON, or no list of keys"};
    if (document->size() > jwks_keys_max) return std::string{"the key set holds more than 64 keys"};

    std::map<std::string_view, int> copies; // of each kid, of usable keys or not: whose it is, nobody can tell
    for (auto const& key : *document)
        if (key.id.text) ++copies[*key.id.text];

    key_set set;
    for (std::size_t i = 0; i < document->size(); ++i) {
        auto const& key = (*document)[i];
        auto made = to_rsa_key(key);
        if (made && copies[*key.id.text] > 1) made = std::string{"has the kid of another key"};
        if (made)
            set.keys.emplace(*key.id.text, std::move(*made));
        else
            set.ignored.push_back("key " + std::to_string(i + 1) + " " + made.error());
    }
    if (set.keys.empty()) {
        return "none of the " + std::to_string(document->size()) + " keys is usable"
            + (set.ignored.empty() ? std::string{} : ": " + set.ignored.front());
    }
    return set;
}

}
