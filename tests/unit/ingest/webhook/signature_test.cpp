#include "ingest/webhook/signature.hpp"
#include "tests/support/ingest/signed_webhook.hpp"

#include <doctest/doctest.h>

#include <optional>

namespace clerk_strapi::ingest
{
namespace
{

using tests::must;
using tests::other_secret_text;
using tests::secret_text;
using tests::sign;

constexpr std::string_view vector_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view vector_time = "1614265330";
constexpr std::string_view vector_body = R"({"test": 2432232314})";
constexpr std::string_view vector_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

std::chrono::system_clock::time_point at(std::int64_t seconds)
{
    return std::chrono::system_clock::time_point{std::chrono::seconds{seconds}};
}

webhook_verifier verifier_of(std::string_view secrets = secret_text)
{
    return webhook_verifier{must(parse_signing_keys(secrets))};
}

result<std::size_t, reject_reason> verify(webhook_verifier const& verifier, std::string_view signatures,
    std::string_view body = vector_body, std::string_view id = vector_id, std::string_view time = vector_time,
    std::int64_t now = 1614265330)
{
    webhook_headers headers;
    headers.add("svix-id", id);
    headers.add("svix-timestamp", time);
    headers.add("svix-signature", signatures);
    auto const read = headers.read();
    if (!read) return read.error();
    return verifier.verify(*read, body, at(now));
}

bool accepted(std::string_view signatures) { return verify(verifier_of(), signatures).has_value(); }

}

TEST_CASE("signature: matches the official test vectors")
{
    struct
    {
        std::string name;
        std::string_view secret, id, time;
        std::string body;
        std::string_view expected;
    } const table[] = {
        {"every library's sign test", secret_text, vector_id, vector_time, std::string{vector_body}, vector_signature},
        {"bridge", other_secret_text, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553",
            R"({"email":"test@example.com","username":"test_user"})",
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
        {"1 MiB", secret_text, vector_id, vector_time, std::string(1048576, 'a'),
            "v1,txpEUxqWZJ5nteTnymUVa+7C4NHpBeXJ6CsBAW0c3/A="},
        {"256 KiB", secret_text, vector_id, vector_time, std::string(262144, 'a'),
            "v1,Mw4Pe2WgApuT7NSqnSq0PQPV9gbLdggCl9B865x5Xh0="},
        {"256 KiB less one", secret_text, vector_id, vector_time, std::string(262143, 'a'),
            "v1,NTItnqyWMoFhk2Bbe5V/BMdcFRWgcSQaTgqLHX7FC7c="},
        {"empty body", secret_text, vector_id, vector_time, "", "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(sign(row.id, row.time, row.body, row.secret) == row.expected);
        auto const decision = verify(
            verifier_of(row.secret), row.expected, row.body, row.id, row.time, std::stoll(std::string{row.time}));
        CHECK(decision.has_value());
    }
}

TEST_CASE("signature: the documentation's example verifies, but its 18-byte key is rejected")
{
    auto const key =
        signing_key::from_bytes("\xa6\x52\x77\x9e\x6c\x82\x0c\x60\x4a\x22\x76\xaf\x74\xe2\xb5\xe6\x3b\x25");
    CHECK(key.sign("msg_loFOjxBNrRLzqYUf", "1731705121", R"({"event_type":"ping","data":{"success":true}})")
        == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    CHECK(signing_key::parse("whsec_plJ3nmyCDGBKInavdOK15jsl").has_error());
}

TEST_CASE("A2, A13: a webhook without a v1 signature by our secret is not authentic")
{
    std::string const right{vector_signature};
    std::string const rows[] = {
        "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
        "v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=",
        "v1,tFtCZ5RDCPxzWQRWXWPgrCgE2frDBe9gjpbWQxnVfsQ=",
        "v1,Mm7xgUVICxZfQ3bgf0h0Dof65L/IFx+PnZvnDWPCX6Q=",
        "v1,9DfC1c3eeOrXB6w/5dIDydLNQaEyww5KalE5jLBZucE=",
        "v1,R3PTzyfHASBKHH98a7yexTwaJ4yNIcGhFQc1yuN+BPU=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", // the last character
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", // only the spare bits
        "v1,dawfeoifkpqwoekfpqoekf",
        "v1,",
        "v1",
        "v2" + right.substr(2),
        "V1" + right.substr(2),
        "v1a" + right.substr(2),
        right.substr(0, 8),
        right.substr(0, right.size() - 1), // without padding
        right + ",extra",
        "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", // base64url
        "x" + right,
        right + "\t" + right,
        "BAD_SIG_NATURE",
        "invalid_signature",
        // vector 8, Ed25519: no key of ours
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    };
    for (auto const& signature : rows) {
        CAPTURE(signature);
        auto const decision = verify(verifier_of(), signature);
        REQUIRE(decision.has_error());
        CHECK(decision.error() == reject_reason::not_authentic);
    }
}

TEST_CASE("signature: one matching item of the list is enough, at any position")
{
    std::string const right{vector_signature};
    std::string const wrong = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
    CHECK(accepted(right));
    CHECK(accepted(wrong + " " + right));
    CHECK(accepted(right + " " + wrong));
    CHECK(accepted("v2,x v1a,y " + right));
    CHECK(accepted(wrong + "  " + right)); // two spaces
    CHECK_FALSE(accepted(wrong + " " + wrong));
}

TEST_CASE("A3, A4: a body, id or time changed after signing is not authentic")
{
    auto const verifier = verifier_of();
    CHECK(verify(verifier, vector_signature, R"({"test":2432232314})").has_error());
    CHECK(verify(verifier, vector_signature, R"({"test": 2432232315})").has_error());
    CHECK(verify(verifier, vector_signature, vector_body, "msg_p5jXN8AQM9LWM0D4loKWxJeK").has_error());
    CHECK(verify(verifier, vector_signature, vector_body, vector_id, "1614265331").has_error());
    CHECK(verify(verifier, vector_signature, vector_body, vector_id, "01614265330").error()
        == reject_reason::not_authentic);
}

TEST_CASE("A5: a timestamp 300 s from now is accepted, 301 s is rejected")
{
    struct
    {
        std::int64_t offset;
        bool good;
    } const table[] = {
        {0, true}, {300, true}, {-300, true}, {301, false}, {-301, false}, {86400, false}, {-1614265330, false}};
    for (auto const& row : table) {
        CAPTURE(row.offset);
        auto const decision =
            verify(verifier_of(), vector_signature, vector_body, vector_id, vector_time, 1614265330 + row.offset);
        CHECK(decision.has_value() == row.good);
        if (!row.good) CHECK(decision.error() == reject_reason::outside_tolerance);
    }
}

TEST_CASE("A12: during a rotation both secrets verify; the position of the match is returned")
{
    auto verifier = verifier_of(std::string{other_secret_text} + "," + std::string{secret_text});
    CHECK(must(verify(verifier, vector_signature)) == 1);
    verifier.replace(must(parse_signing_keys(other_secret_text)));
    CHECK(verify(verifier, vector_signature).error() == reject_reason::not_authentic);
}

TEST_CASE("webhook secrets: valid forms are parsed, invalid ones are start-up errors")
{
    struct
    {
        std::string name;
        std::string_view text;
        bool good;
    } const table[] = {
        {"with prefix", secret_text, true},
        {"without prefix", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
        {"unpadded", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", true},
        {"padded", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr==", true},
        {"two, and a comma at the end",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD,", true},
        {"empty", "", false},
        {"commas", ",,", false},
        {"prefix alone", "whsec_", false},
        {"prefix without underscore", "whsec", false},
        {"prefix twice", "whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
        {"three bytes", "AAAA", false},
        {"23 bytes", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", false},
        {"private key of the other scheme", "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=", false},
        {"public key of the other scheme", "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", false},
        {"not base64", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", false},
        {"one good, one bad", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_", false},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        CHECK(parse_signing_keys(row.text).has_value() == row.good);
    }
    auto const message = parse_signing_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_c2hvcnQ=").error();
    CHECK(message.find("number 2") != std::string::npos);
    CHECK(message.find("c2hvcnQ") == std::string::npos);
}

TEST_CASE("A1, A6, A7, A8, A9: missing, malformed and ambiguous headers each have a reason")
{
    using headers = std::vector<std::pair<std::string, std::string>>;
    std::string const id{vector_id}, time{vector_time}, signature{vector_signature};
    auto const items = [](std::size_t count) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i)
            list += "v1,x ";
        return list;
    };
    struct
    {
        std::string name;
        headers given;
        std::optional<reject_reason> expected;
    } const table[] = {
        {"complete", {{"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", signature}}, {}},
        {"names in any case", {{"Svix-Id", id}, {"SVIX-TIMESTAMP", time}, {"sVIX-sIGNATURE", signature}}, {}},
        {"the unbranded family", {{"webhook-id", id}, {"webhook-timestamp", time}, {"webhook-signature", signature}},
            {}},
        {"mixed, complete", {{"svix-id", id}, {"webhook-timestamp", time}, {"svix-signature", signature}}, {}},
        {"both families, the same",
            {{"svix-id", id}, {"webhook-id", id}, {"svix-timestamp", time}, {"svix-signature", signature}}, {}},
        {"A1 no id", {{"svix-timestamp", time}, {"svix-signature", signature}}, reject_reason::missing_header},
        {"A1 no timestamp", {{"svix-id", id}, {"svix-signature", signature}}, reject_reason::missing_header},
        {"A1 no signature", {{"svix-id", id}, {"svix-timestamp", time}}, reject_reason::missing_header},
        {"A1 nothing", {}, reject_reason::missing_header},
        {"A1 blank id", {{"svix-id", ""}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::missing_header},
        {"A1 tab", {{"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", "\t"}},
            reject_reason::missing_header},
        {"A9 id twice",
            {{"svix-id", id}, {"svix-id", "msg_2"}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::ambiguous_header},
        {"A9 id twice, once blank",
            {{"svix-id", " "}, {"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::ambiguous_header},
        {"A9 families differ",
            {{"svix-id", id}, {"webhook-id", "msg_2"}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::ambiguous_header},
        {"A6 milliseconds", {{"svix-id", id}, {"svix-timestamp", "1614265330000"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 negative", {{"svix-id", id}, {"svix-timestamp", "-1"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 plus", {{"svix-id", id}, {"svix-timestamp", "+1"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 space inside", {{"svix-id", id}, {"svix-timestamp", "16 14"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 exponent", {{"svix-id", id}, {"svix-timestamp", "1e9"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 letters", {{"svix-id", id}, {"svix-timestamp", "12abc"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 fraction", {{"svix-id", id}, {"svix-timestamp", "1614265330.5"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 word", {{"svix-id", id}, {"svix-timestamp", "hello"}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A6 400 digits", {{"svix-id", id}, {"svix-timestamp", std::string(400, '9')}, {"svix-signature", signature}},
            reject_reason::malformed_timestamp},
        {"A7 dot", {{"svix-id", "msg.1"}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::malformed_id},
        {"A7 NUL", {{"svix-id", std::string("msg\0", 4)}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::malformed_id},
        {"A7 10 KiB", {{"svix-id", std::string(10240, 'a')}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::malformed_id},
        {"A7 not ASCII", {{"svix-id", "msg_é"}, {"svix-timestamp", time}, {"svix-signature", signature}},
            reject_reason::malformed_id},
        {"A8 16 items", {{"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", items(16)}}, {}},
        {"A8 17 items", {{"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", items(17)}},
            reject_reason::malformed_signature},
        {"A8 4 KiB and one", {{"svix-id", id}, {"svix-timestamp", time}, {"svix-signature", std::string(4097, 'x')}},
            reject_reason::malformed_signature},
    };
    for (auto const& row : table) {
        CAPTURE(row.name);
        webhook_headers read;
        for (auto const& [name, value] : row.given)
            read.add(name, value);
        auto const decision = read.read();
        CHECK(decision.has_value() == !row.expected.has_value());
        if (row.expected && decision.has_error()) CHECK(decision.error() == *row.expected);
    }
    webhook_headers none;
    CHECK(none.missing() == "svix-id, svix-timestamp, svix-signature");
}

}
