#include "tests/bench/signed_requests.hpp"

#include "ingest/webhook/signature.hpp"
#include "tests/bench/sample_users.hpp"

#include <ctime>
#include <stdexcept>

namespace clerk_strapi::bench
{

std::vector<std::string> make_signed_requests(request_range range, std::string const& secret)
{
    auto const key = ingest::signing_key::parse(secret);
    if (!key) throw std::runtime_error{"the secret " + key.error()};
    auto const timestamp = std::to_string(std::time(nullptr));
    std::vector<std::string> requests;
    requests.reserve(range.count);
    for (std::size_t i = 0; i < range.count; ++i) {
        auto const user = make_user(range.series, i);
        auto const id = event_id(user);
        auto const body = event_body(user, "user.created");
        requests.push_back(
            "POST /webhooks/clerk HTTP/1.1\r\nHost: hooks.example.com\r\nAccept: */*\r\nContent-Type: "
            "application/json\r\nUser-Agent: Svix-Webhooks/1.62.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"
            "\r\nsvix-id: "
            + id + "\r\nsvix-timestamp: " + timestamp + "\r\nsvix-signature: " + key->sign(id, timestamp, body)
            + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    return requests;
}

}
