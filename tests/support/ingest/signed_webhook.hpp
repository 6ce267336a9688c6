#pragma once

// Webhooks as the sender makes them. The signature comes from signing_key, which is tested with the official vectors.

#include "ingest/webhook/signature.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clerk_strapi::tests
{

inline constexpr std::string_view secret_text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline constexpr std::string_view other_secret_text = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

// The value of a result that must be valid.
template <class T, class E>
T must(result<T, E> got)
{
    if (!got) throw std::logic_error{"the test's own input is wrong"};
    return std::move(*got);
}

using header_list = std::vector<std::pair<std::string, std::string>>;

inline std::string sign(
    std::string_view id, std::string_view timestamp, std::string_view body, std::string_view secret = secret_text)
{
    return must(ingest::signing_key::parse(secret)).sign(id, timestamp, body);
}

inline std::string now_text(std::int64_t seconds_from_now = 0)
{
    auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    return std::to_string(now.count() + seconds_from_now);
}

inline header_list signed_headers(std::string const& id, std::string_view body,
    std::string const& timestamp = now_text(), std::string_view secret = secret_text)
{
    return {{"svix-id", id}, {"svix-timestamp", timestamp}, {"svix-signature", sign(id, timestamp, body, secret)}};
}

inline std::string user_event(std::string_view type, std::string_view user, std::string_view instance = "ins_1")
{
    return R"({"data":{"id":")" + std::string{user}
    + R"(","object":"user","updated_at":1716883200000},"object":"event","type":")" + std::string{type}
    + R"(","timestamp":1716883200000,"instance_id":")" + std::string{instance} + R"("})";
}

}
