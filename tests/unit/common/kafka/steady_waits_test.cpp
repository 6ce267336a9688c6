// librdkafka calls our timed wait, which lasts as long as requested. With a clock that steps: tests/faults/clock.

#include <doctest/doctest.h>

#include <dlfcn.h>
#include <threads.h>

#include <chrono>
#include <ctime>
#include <string_view>

namespace
{

using namespace std::chrono_literals;

timespec wall_clock_in(std::chrono::nanoseconds time)
{
    timespec now{};
    std::timespec_get(&now, TIME_UTC);
    auto const sum = std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec} + time;
    auto const seconds = std::chrono::floor<std::chrono::seconds>(sum);
    return {seconds.count(), (sum - seconds).count()};
}

struct waiting
{
    waiting()
    {
        cnd_init(&condition);
        mtx_init(&mutex, mtx_timed);
    }
    ~waiting()
    {
        mtx_destroy(&mutex);
        cnd_destroy(&condition);
    }
    waiting(waiting const&) = delete;
    waiting& operator=(waiting const&) = delete;

    int until(timespec const& deadline)
    {
        mtx_lock(&mutex);
        auto const ended = cnd_timedwait(&condition, &mutex, &deadline);
        mtx_unlock(&mutex);
        return ended;
    }

    cnd_t condition{};
    mtx_t mutex{};
};

}

TEST_CASE("steady waits: librdkafka calls the program's cnd_timedwait, not glibc's (F20)")
{
    auto* const found = ::dlsym(RTLD_DEFAULT, "cnd_timedwait"); // as the dynamic linker finds it for librdkafka
    REQUIRE(found != nullptr);
    Dl_info info{};
    REQUIRE(::dladdr(found, &info) != 0);
    CHECK(std::string_view{info.dli_fname}.find("libc.so") == std::string_view::npos);
}

TEST_CASE("steady waits: end at the deadline, at once after it, and early on a signal (F20)")
{
    waiting one;
    auto const begin = std::chrono::steady_clock::now();
    CHECK(one.until(wall_clock_in(-1h)) == thrd_timedout);
    CHECK(one.until({0, 0}) == thrd_timedout);
    CHECK(one.until(wall_clock_in(50ms)) == thrd_timedout);
    CHECK(std::chrono::steady_clock::now() - begin >= 50ms);

    thrd_t caller{};
    mtx_lock(&one.mutex); // the signalling thread waits for it, so it signals during the wait
    thrd_create(
        &caller,
        [](void* self) {
            auto& called = *static_cast<waiting*>(self);
            mtx_lock(&called.mutex);
            cnd_signal(&called.condition);
            return mtx_unlock(&called.mutex);
        },
        &one);
    auto const deadline = wall_clock_in(60s);
    CHECK(cnd_timedwait(&one.condition, &one.mutex, &deadline) == thrd_success);
    mtx_unlock(&one.mutex);
    thrd_join(caller, nullptr);
}
