// Covers I6, A1, A2 and A5-A9: which headers make a signature is never ambiguous, forms and counts are bounded, and a
// signature is accepted exactly when a plain HMAC over the same bytes is among the items.
// Input: header lines, an empty line, the body.

#include "ingest/webhook/signature.hpp"
#include "tests/fuzz/target.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>

namespace clerk_strapi::fuzz
{
namespace
{

using namespace ingest;

constexpr std::int64_t now_seconds = 1'800'000'000;
std::string const key_bytes = "twenty-four bytes of key";

using header_lines = std::vector<std::pair<std::string, std::string>>;

std::string plain_signature(std::string_view id, std::string_view timestamp, std::string_view body)
{
    auto const text = std::string{id} + "." + std::string{timestamp} + "." + std::string{body};
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key_bytes.data(), static_cast<int>(key_bytes.size()),
        reinterpret_cast<unsigned char const*>(text.data()), text.size(), digest.data(), &size);
    std::array<unsigned char, 64> base64{};
    EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
    return "v1," + std::string{reinterpret_cast<char const*>(base64.data())};
}

bool has_item(std::string_view list, std::string_view wanted)
{
    while (!list.empty())
        if (take_until(list, " ") == wanted) return true;
    return false;
}

webhook_verifier const& verifier()
{
    static auto const made = [] {
        std::vector<signing_key> keys;
        keys.push_back(signing_key::from_bytes(key_bytes));
        return webhook_verifier{std::move(keys)};
    }();
    return made;
}

void check_form(signed_headers const& read, header_lines const& headers)
{
    constexpr auto id_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    promise(!read.id.empty() && read.id.size() <= 128, "an id has 1 to 128 characters (A7)");
    promise(read.id.find_first_not_of(id_characters) == std::string_view::npos, "an id is plain (A7)");
    promise(!read.timestamp.empty() && read.timestamp.size() <= 12, "a time has 1 to 12 digits (A6)");
    promise(read.timestamp.find_first_not_of("0123456789") == std::string_view::npos, "a time is digits (A6)");
    promise(read.seconds == std::stoll(std::string{read.timestamp}), "and means the number that it shows");
    std::size_t items = 0;
    for (auto list = read.signatures; !list.empty();)
        items += take_until(list, " ").empty() ? 0 : 1;
    promise(items <= 16 && read.signatures.size() <= 4096, "at most 16 signatures, at most 4 KiB (A8)");

    std::map<std::string, int> seen;
    for (auto const& [name, value] : headers)
        ++seen[lower_case(name)];
    for (auto const* const suffix : {"id", "timestamp", "signature"}) {
        auto const svix = seen[std::string{"svix-"} + suffix];
        auto const webhook = seen[std::string{"webhook-"} + suffix];
        promise(svix <= 1 && webhook <= 1, "a header that comes twice is ambiguous (A9)");
        promise(svix + webhook >= 1, "none of the three is missing (A1)");
    }
}

void check_decision(signed_headers const& read, std::string_view body)
{
    std::chrono::system_clock::time_point const now{std::chrono::seconds{now_seconds}};
    auto const good = plain_signature(read.id, read.timestamp, body);
    auto const in_time = read.seconds >= now_seconds - 300 && read.seconds <= now_seconds + 300;
    auto const decision = verifier().verify(read, body, now);
    promise(
        decision.has_value() == (in_time && has_item(read.signatures, good)), "accepted: signed by us, in time (A2)");
    if (!in_time) return promise(decision.error() == reject_reason::outside_tolerance, "five minutes, no more (A5)");

    auto resigned = read;
    auto const list = "v1a,AAAA " + good;
    resigned.signatures = list;
    promise(verifier().verify(resigned, body, now).has_value(), "whatever the body is, its signature is good");
    promise(!verifier().verify(resigned, std::string{body} + " ", now), "and good for no other body (A3)");
}

void check_webhook_signature(std::string_view input)
{
    header_lines headers;
    for (auto block = take_until(input, "\n\n"); !block.empty();) {
        auto line = take_line(block);
        auto const name = take_until(line, ":");
        headers.emplace_back(name, without_blanks(line));
    }
    webhook_headers collected;
    for (auto const& [name, value] : headers)
        collected.add(name, value);
    auto const read = collected.read();
    if (read) {
        promise(collected.missing().empty(), "nothing is missing in what could be read");
        check_form(*read, headers);
        check_decision(*read, input);
    } else if (read.error() == reject_reason::missing_header) {
        promise(!collected.missing().empty(), "a missing header is named (A1)");
    }
    if (auto const keys = parse_signing_keys(input))
        promise(!keys->empty() && keys->size() <= 10, "one to ten secrets");
}

[[maybe_unused]] bool const listed = list("webhook_signature", check_webhook_signature);

}
}
