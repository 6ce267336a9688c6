#include "common/clerk/api_client.hpp"

#include "common/config/config_text.hpp"
#include "common/process/socket_watch.hpp"

#include "build_version.hpp"

#include <httplib.h>

#include <algorithm>
#include <utility>

namespace clerk_strapi::clerk
{
namespace
{

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto api_version = "2026-05-12"; // the version that clerk_user and the key set reader expect
constexpr auto shortest_wait = milliseconds{1}; // for the library, zero means "for ever" or "do not wait"
constexpr auto after_the_watch = milliseconds{1'000}; // later than the watch, which ends the call
constexpr std::size_t retry_after_digits_max = 6; // more than eleven days is a mistake

struct base
{
    std::string origin;
    std::string path; // without a slash at the end
};

base split(std::string const& url)
{
    auto const authority = url.find("://");
    auto const slash = url.find('/', authority == std::string::npos ? 0 : authority + 3);
    if (slash == std::string::npos) return {url, ""};
    auto path = url.substr(slash);
    while (path.ends_with('/'))
        path.pop_back();
    return {url.substr(0, slash), path};
}

// cpp-httplib 0.11 (Debian 12) has no such error: it reports a wrong host as SSLServerVerification.
template <class Error>
bool is_wrong_host(Error error)
{
    if constexpr (requires { Error::SSLServerHostnameVerification; })
        return error == Error::SSLServerHostnameVerification;
    else
        return false;
}

// No switch: new versions of the library add errors, and each of them means that Clerk was not reached.
api_outcome outcome_of(httplib::Error error)
{
    using httplib::Error;
    if (error == Error::Success) return api_outcome::answered;
    if (error == Error::ConnectionTimeout) return api_outcome::timed_out;
    auto const not_trusted = error == Error::SSLConnection || error == Error::SSLLoadingCerts
        || error == Error::SSLServerVerification || is_wrong_host(error);
    return not_trusted ? api_outcome::not_trusted : api_outcome::unreachable;
}

// Zero without a Content-Length. The body is counted as it arrives in any case.
std::size_t announced_bytes(httplib::Response const& response)
{
    auto const bytes = config_text::parse_integer(response.get_header_value("Content-Length"));
    return bytes && *bytes > 0 ? static_cast<std::size_t>(*bytes) : 0;
}

std::optional<std::chrono::seconds> retry_after_of(httplib::Response const& response)
{
    auto const text = response.get_header_value("Retry-After");
    auto const number = config_text::parse_integer(text);
    if (!number || *number < 0 || text.size() > retry_after_digits_max) return std::nullopt;
    return std::chrono::seconds{*number};
}

}

struct api_client::connection
{
    explicit connection(api_settings chosen)
        : settings{std::move(chosen)}
        , where{split(settings.base_url)}
        , client{where.origin}
    {
        client.set_keep_alive(true);
        client.set_follow_location(false);
        client.set_decompress(false);
        client.set_tcp_nodelay(true);
        client.enable_server_certificate_verification(true);
        client.set_socket_options([this](int descriptor) {
            connected = true;
            watch.watch(descriptor);
        });
    }

    [[nodiscard]] httplib::Headers headers() const
    {
        httplib::Headers chosen{{"Accept", "application/json"}, {"Accept-Encoding", "identity"},
            {"Clerk-API-Version", api_version}, {"User-Agent", std::string{"clerk-strapi-sync/"} + build_version}};
        if (!settings.bearer) return chosen;
        auto const key = settings.bearer();
        // The file may contain anything, and a line break would begin another header.
        auto const odd = [](char c) { return c <= ' ' || c == '\x7f'; };
        if (!key.empty() && std::none_of(key.reveal().begin(), key.reveal().end(), odd))
            chosen.emplace("Authorization", "Bearer " + key.reveal());
        return chosen;
    }

    api_answer get_once(std::string const& target, clock::time_point until)
    {
        auto const remaining = std::max(std::chrono::duration_cast<milliseconds>(until - clock::now()), shortest_wait);
        client.set_connection_timeout(std::min(remaining, settings.connect_time));
        client.set_read_timeout(remaining + after_the_watch);
        client.set_write_timeout(remaining + after_the_watch);

        api_answer answer;
        bool too_large = false;
        connected = false;
        auto const result = client.Get(
            target, headers(),
            [&](httplib::Response const& response) {
                answer.status = static_cast<unsigned>(response.status);
                answer.retry_after = retry_after_of(response);
                too_large = announced_bytes(response) > settings.body_bytes_max;
                return !too_large;
            },
            [&](char const* bytes, std::size_t count) {
                too_large = too_large || count > settings.body_bytes_max - answer.body.size();
                if (too_large || clock::now() >= until) return false;
                answer.body.append(bytes, count);
                return true;
            });
        answer.outcome = too_large ? api_outcome::too_large : outcome_of(result.error());
        return answer;
    }

    api_settings settings;
    base where;
    bool connected{false}; // a connection was made during this call
    socket_watch watch;
    httplib::Client client;
};

std::string_view to_text(api_outcome outcome)
{
    switch (outcome) {
    case api_outcome::answered: return "answered";
    case api_outcome::unreachable: return "unreachable";
    case api_outcome::not_trusted: return "not trusted";
    case api_outcome::timed_out: return "timed out";
    case api_outcome::too_large: return "too large";
    case api_outcome::interrupted: return "interrupted";
    }
    return "unknown";
}

api_client::api_client(api_settings settings)
    : connection_{std::make_unique<connection>(std::move(settings))}
{
}

api_client::~api_client() = default;

api_answer api_client::get(std::string_view target, clock::time_point until)
{
    auto& own = *connection_;
    auto const path = own.where.path + std::string{target};
    if (own.watch.stopped()) return {api_outcome::interrupted, 0, {}, {}};
    own.watch.begin(until);
    auto answer = own.get_once(path, until);
    // The peer may have just closed a kept connection. A GET can be repeated.
    if (answer.outcome == api_outcome::unreachable && !own.connected && clock::now() < until && !own.watch.stopped())
        answer = own.get_once(path, until);
    own.watch.end();

    if (answer.outcome == api_outcome::answered || answer.outcome == api_outcome::too_large) return answer;
    if (own.watch.stopped()) return {api_outcome::interrupted, 0, {}, {}};
    if (clock::now() >= until) return {api_outcome::timed_out, 0, {}, {}};
    return {answer.outcome, 0, {}, {}};
}

void api_client::interrupt() { connection_->watch.stop(); }

}
