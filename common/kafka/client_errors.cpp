#include "common/kafka/client_errors.hpp"

#include "common/kafka/known_faults.hpp"
#include "common/log/logging.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <map>

namespace clerk_strapi::kafka
{
namespace
{

using namespace std::chrono_literals;

constexpr auto log_interval = 10s;
constexpr auto reason_lifetime = 2min; // librdkafka repeats a lasting error more often

bool is_login(int code)
{
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED
        || code == RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM || code == RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE;
}

// How much an error explains. A client that reached the login has a working name, port and certificate.
int weight_of(int code)
{
    if (is_login(code)) return 6;
    switch (code) {
    case RD_KAFKA_RESP_ERR__SSL: return 5;
    case RD_KAFKA_RESP_ERR__RESOLVE: return 4;
    case RD_KAFKA_RESP_ERR__TRANSPORT: return 3;
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN: return 1; // only summarises the others
    default: return 2;
    }
}

// The call failed because no broker was reachable. Any other code explains itself.
bool means_unreachable(int code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT
        || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION
        || code == RD_KAFKA_RESP_ERR__WAIT_COORD || code == RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE;
}

// Without "(after 3ms in state AUTH_REQ, 2 identical error(s) suppressed)", so that repetitions have the same text.
std::string_view without_count(std::string_view text)
{
    auto const found = text.rfind(" (after ");
    return found == std::string_view::npos || !text.ends_with(')') ? text : text.substr(0, found);
}

// One interval per error code, so that "all brokers are down" does not suppress the cause.
std::optional<std::uint64_t> may_log(int code)
{
    static std::mutex mutex;
    static std::map<int, log::repeat_limit> limits;
    std::lock_guard const lock{mutex};
    return limits.try_emplace(code, log_interval).first->second.pass();
}

}

client_errors::client_errors(client_settings const& settings)
    : login_advice_{advice_for_login(loaded_library(), settings.extra)}
{
    for (auto const& [property, value] : settings.extra) {
        if (may_hold_a_secret(property) && !value.empty()) secrets_.push_back(value);
    }
}

void client_errors::report(int code, std::string_view text)
{
    keep(code, text);
    auto const held_back = may_log(code);
    log::write(held_back ? log::level::warning : log::level::debug, "librdkafka reported an error",
        {{"error", rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))},
            {"detail", without_secrets(std::string{text})}, {"advice", is_login(code) ? login_advice_ : ""},
            {"held_back", held_back.value_or(0)}});
}

void client_errors::keep(int code, std::string_view text, clock::time_point now)
{
    auto reason = without_secrets(std::string{without_count(text)});
    if (is_login(code)) reason += "; " + login_advice_;
    std::lock_guard const lock{mutex_};
    if (weight_of(code) < weight_ && now - kept_at_ < reason_lifetime) return;
    weight_ = weight_of(code);
    reason_ = std::move(reason);
    kept_at_ = now;
}

void client_errors::clear()
{
    std::lock_guard const lock{mutex_};
    weight_ = 0;
    reason_.clear();
}

std::string client_errors::reason() const
{
    std::lock_guard const lock{mutex_};
    return reason_;
}

void client_errors::attach(rd_kafka_conf_t* conf)
{
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_error_cb(conf, [](rd_kafka_t*, int code, char const* text, void* self) {
        static_cast<client_errors*>(self)->keep(code, text);
    });
}

bool client_errors::knows_the_cause() const
{
    std::lock_guard const lock{mutex_};
    return weight_ > weight_of(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN);
}

std::string client_errors::explain(rd_kafka_t* client, int code, std::chrono::milliseconds patience)
{
    auto const until = clock::now() + patience;
    rd_kafka_poll(client, 0);
    while (means_unreachable(code) && !knows_the_cause() && clock::now() < until)
        rd_kafka_poll(client, 50);
    auto detail = means_unreachable(code) ? reason() : std::string{};
    return detail.empty() ? rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)) : detail;
}

// A login module of the broker may repeat the user name or the password. The address before the first colon is from our
// configuration and stays, even when a user name equals a host name.
std::string client_errors::without_secrets(std::string text) const
{
    static constexpr std::string_view hidden = "[redacted]";
    auto const address_end = text.find(": ");
    auto const begin = address_end == std::string::npos ? 0 : address_end;
    for (auto const& secret : secrets_) {
        for (auto at = text.find(secret, begin); at != std::string::npos; at = text.find(secret, at + hidden.size()))
            text.replace(at, secret.size(), hidden);
    }
    return text;
}

}
