#pragma once

// Asks Clerk over HTTP: GET, one base URL, one connection that is kept. Blocking, for a thread that may wait; every
// way it can end is a value of a closed enum. The deadline is for the whole call, however slowly the peer sends; the
// certificate and the host name are verified against the system's authorities; a redirect is an answer like any
// other, never followed; a body is read up to its limit and no further. Never logs, and keeps no secret: the key is
// asked for at each call, so that it may follow its file (I6).

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
    unreachable, // no address, no connection, or it broke
    not_trusted, // TLS: no handshake, or not the peer that the URL names
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
    std::optional<std::chrono::seconds> retry_after; // only as a number of seconds, which is how Clerk sends it
};

struct api_settings
{
    std::string base_url; // https://api.clerk.com, with or without a path; http:// for a stand-in
    std::function<secret()> bearer{}; // none: nothing is sent
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

    // One call at a time. `target` is path and query, already percent-encoded. Looking the host up is the one wait
    // that the deadline cannot cut: the resolver's own limits hold there.
    [[nodiscard]] api_answer get(std::string_view target, std::chrono::steady_clock::time_point until);

    // From any thread: ends the call under way and refuses later ones.
    void interrupt();

private:
    struct connection;
    std::unique_ptr<connection> connection_;
};

}
