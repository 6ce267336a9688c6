#pragma once

// Calls Clerk's HTTP API: GET, one base URL, one connection that is kept. Blocking; the result of a call is a value of
// a closed enum. The deadline covers the whole call, also when the peer sends slowly. The certificate and the host name
// are verified with the system's CA certificates. A redirect is returned, never followed. A body is read up to its
// limit. The client never logs and stores no secret: it requests the key for each call, so that the key can change
// (I6).

#include "common/config/secret.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::clerk
{

enum class api_outcome {
    answered, // whatever the status
    unreachable, // no address, no connection, or the connection broke
    not_trusted, // TLS: the handshake failed, or the certificate is not for the host of the URL
    timed_out,
    too_large,
    interrupted, // by interrupt()
};
[[nodiscard]] std::string_view to_text(api_outcome outcome);

struct api_answer
{
    api_outcome outcome{api_outcome::unreachable};
    unsigned status{0};
    std::string body;
    std::optional<std::chrono::seconds> retry_after; // only a number of seconds, which is what Clerk sends
};

struct api_settings
{
    std::string base_url; // https://api.clerk.com, with or without a path; http:// in tests
    std::function<secret()> bearer{}; // none: no Authorization header
    std::size_t body_bytes_max{1024 * 1024};
    std::chrono::milliseconds connect_time{2'000}; // for each address of the host
};

class api_client
{
public:
    explicit api_client(api_settings settings);
    ~api_client();
    api_client(api_client const&) = delete;
    api_client& operator=(api_client const&) = delete;

    // One call at a time. `target` is path and query, percent-encoded. The deadline cannot end the look-up of the host
    // name; the resolver has its own limits.
    [[nodiscard]] api_answer get(std::string_view target, std::chrono::steady_clock::time_point until);

    // From any thread: ends the current call and all later ones.
    void interrupt();

private:
    struct connection;
    std::unique_ptr<connection> connection_;
};

}
