#include "worker/operate/clerk_reader.hpp"

#include "worker/operate/clock.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::worker
{
namespace
{

using namespace std::chrono_literals;

constexpr std::size_t page_bytes_max = 32 * 1024 * 1024; // 500 users with full metadata are about half of it
constexpr auto call_time = 60s;
constexpr auto first_pause = 500ms;
constexpr auto longest_pause = 30s;
constexpr auto longest_retry_after = 10min; // longer is taken for a mistake of a proxy
constexpr auto look_interval = 100ms;

bool is_final(clerk::api_answer const& answer)
{
    switch (answer.outcome) {
    case clerk::api_outcome::answered: return answer.status != 429 && answer.status < 500;
    case clerk::api_outcome::unreachable:
    case clerk::api_outcome::not_trusted:
    case clerk::api_outcome::timed_out:
    case clerk::api_outcome::too_large:
    case clerk::api_outcome::interrupted: return false;
    }
    return false;
}

std::string reason_of(clerk::api_answer const& answer)
{
    if (answer.outcome == clerk::api_outcome::answered) return "answered " + std::to_string(answer.status);
    return std::string{clerk::to_text(answer.outcome)};
}

}

clerk_reader::clerk_reader(reader_settings settings, stop_signal const& stop)
    : settings_{std::move(settings)}
    , stop_{stop}
    , client_{{settings_.api_url, settings_.key, page_bytes_max}}
    , pause_{first_pause, longest_pause}
    , next_turn_{clock::now()}
    , interrupter_{[this](std::stop_token const& ended) {
        while (!ended.stop_requested()) {
            if (stop_.wait_for(look_interval)) return client_.interrupt();
        }
    }}
{
}

clerk_reader::~clerk_reader() = default;

bool clerk_reader::wait_for_turn()
{
    auto const now = clock::now();
    auto const wait = std::chrono::ceil<std::chrono::milliseconds>(next_turn_ - now);
    if (wait > 0ms && stop_.wait_for(wait)) return false;
    if (stop_.requested()) return false;
    auto const interval = std::chrono::duration<double>{1 / settings_.requests_per_second};
    // Unused time is not saved up: after slow responses the rate does not rise.
    next_turn_ = std::max(next_turn_, now) + std::chrono::duration_cast<clock::duration>(interval);
    return true;
}

std::chrono::milliseconds clerk_reader::wait_after(clerk::api_answer const& answer)
{
    auto const own = pause_.next(chance());
    if (!answer.retry_after) return own;
    std::chrono::milliseconds const asked = std::min<std::chrono::seconds>(*answer.retry_after, longest_retry_after);
    return std::max(own, asked + std::chrono::milliseconds{static_cast<int>(250 * chance())});
}

clerk_reply clerk_reader::get(std::string_view target)
{
    auto failures = 0;
    for (;;) {
        if (!wait_for_turn()) return {reply_kind::interrupted, 0, {}, 0, {}};
        auto const asked_at = now_ms();
        ++counts_.requests;
        auto answer = client_.get(target, clock::now() + call_time);
        if (is_final(answer)) {
            pause_.reset();
            answered_once_ = true;
            return {reply_kind::answered, answer.status, std::move(answer.body), asked_at, {}};
        }
        if (stop_.requested()) return {reply_kind::interrupted, 0, {}, 0, {}};
        auto const limited = answer.outcome == clerk::api_outcome::answered && answer.status == 429;
        ++(limited ? counts_.limited : counts_.failed);
        failures += limited ? 0 : 1;
        auto const tries = answered_once_ ? settings_.tries_max : settings_.first_tries_max;
        if (failures >= tries || answer.outcome == clerk::api_outcome::too_large)
            return {reply_kind::gave_up, answer.status, {}, asked_at, reason_of(answer)};
        if (stop_.wait_for(wait_after(answer))) return {reply_kind::interrupted, 0, {}, 0, {}};
    }
}

}
