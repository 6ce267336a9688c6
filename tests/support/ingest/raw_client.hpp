#pragma once

// A TCP client that sends any bytes, well-formed or not, and reads responses one by one. Every wait has a deadline.

#include "tests/support/ingest/signed_webhook.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace clerk_strapi::tests
{

struct answer
{
    int status{0};
    std::map<std::string, std::string> headers; // names in lower case
    std::string body;
    [[nodiscard]] std::string problem() const; // the last part of a problem's type
};

class raw_client
{
public:
    explicit raw_client(std::uint16_t port);
    ~raw_client();
    raw_client(raw_client const&) = delete;
    raw_client& operator=(raw_client const&) = delete;

    void send(std::string_view bytes);
    // Nothing if the peer closed the connection or did not respond in time.
    [[nodiscard]] std::optional<answer> read_answer(
        std::chrono::milliseconds time = std::chrono::seconds{15}, bool head_only = false);
    // Whether the peer closed its side, normally or by a reset.
    [[nodiscard]] bool closed_within(std::chrono::milliseconds time);

private:
    [[nodiscard]] bool receive(std::chrono::steady_clock::time_point deadline);

    int socket_;
    std::string buffer_;
    bool closed_{false};
};

[[nodiscard]] std::string request_text(
    std::string_view method, std::string_view target, header_list const& headers, std::string_view body);
[[nodiscard]] bool eventually(std::chrono::milliseconds time, auto condition);
void let_time_pass(); // a few milliseconds between two checks

bool eventually(std::chrono::milliseconds time, auto condition)
{
    auto const deadline = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        let_time_pass();
    }
    return true;
}

}
