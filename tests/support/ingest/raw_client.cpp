#include "tests/support/ingest/raw_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <csignal>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace clerk_strapi::tests
{

std::string answer::problem() const
{
    constexpr std::string_view prefix = "\"urn:clerk-strapi-sync:";
    auto const at = body.find(prefix);
    if (at == std::string::npos) return {};
    auto const begin = at + prefix.size();
    return body.substr(begin, body.find('"', begin) - begin);
}

raw_client::raw_client(std::uint16_t port)
    : socket_{::socket(AF_INET, SOCK_STREAM, 0)}
{
    ::signal(SIGPIPE, SIG_IGN);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) {
        ::close(socket_);
        throw std::runtime_error{"cannot connect"};
    }
}

raw_client::~raw_client() { ::close(socket_); }

void raw_client::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        auto const sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return; // the peer may have closed; its response has the reason
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

bool raw_client::receive(std::chrono::steady_clock::time_point deadline)
{
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd waited{socket_, POLLIN, 0};
    if (closed_ || ::poll(&waited, 1, static_cast<int>(std::max<long>(left, 0))) <= 0) return false;
    std::array<char, 16384> bytes;
    auto const got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) {
        closed_ = true;
        return false;
    }
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
}

std::optional<answer> raw_client::read_answer(std::chrono::milliseconds time, bool head_only)
{
    auto const deadline = std::chrono::steady_clock::now() + time;
    std::size_t head_end = 0;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive(deadline)) return std::nullopt;
    }
    answer read;
    read.status = std::stoi(buffer_.substr(9, 3));
    for (auto at = buffer_.find("\r\n") + 2; at < head_end + 2;) {
        auto const end = buffer_.find("\r\n", at);
        auto const colon = buffer_.find(':', at);
        auto name = buffer_.substr(at, colon - at);
        std::transform(
            name.begin(), name.end(), name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        read.headers[name] = buffer_.substr(colon + 2, end - colon - 2);
        at = end + 2;
    }
    auto const length =
        read.headers.contains("content-length") && !head_only ? std::stoul(read.headers["content-length"]) : 0;
    while (buffer_.size() < head_end + 4 + length) {
        if (!receive(deadline)) return std::nullopt;
    }
    read.body = buffer_.substr(head_end + 4, length);
    buffer_.erase(0, head_end + 4 + length);
    return read;
}

bool raw_client::closed_within(std::chrono::milliseconds time)
{
    auto const deadline = std::chrono::steady_clock::now() + time;
    while (receive(deadline)) {}
    return closed_;
}

std::string request_text(
    std::string_view method, std::string_view target, header_list const& headers, std::string_view body)
{
    auto text = std::string{method} + " " + std::string{target} + " HTTP/1.1\r\nHost: ingest\r\n";
    for (auto const& [name, value] : headers)
        text += name + ": " + value + "\r\n";
    return text + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

void let_time_pass() { ::poll(nullptr, 0, 5); }

}
