// librdkafka (2.0.2 and 2.8.0) waits by the wall clock: each of its timed waits is C11's cnd_timedwait, whose deadline
// is a time of day. When that clock is set back by ten minutes, its threads sleep for ten minutes more: no
// heartbeat, no poll that ends, no stop. The function is looked up by name at run time, and a program's own one wins
// over glibc's: this one waits as long by the steady clock, so a step during the wait means nothing (F20).

#include <pthread.h>
#include <threads.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

namespace
{

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;

std::int64_t nanoseconds(timespec const& time) { return time.tv_sec * nanoseconds_a_second + time.tv_nsec; }

timespec timespec_of(std::int64_t time) { return {time / nanoseconds_a_second, time % nanoseconds_a_second}; }

}

// glibc's C11 types are its POSIX types under another name, and its own cnd_timedwait makes the same casts.
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && alignof(cnd_t) == alignof(pthread_cond_t));
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && alignof(mtx_t) == alignof(pthread_mutex_t));

extern "C" int cnd_timedwait(cnd_t* condition, mtx_t* mutex, timespec const* deadline)
{
    timespec wall{};
    timespec steady{};
    std::timespec_get(&wall, TIME_UTC); // the clock by which librdkafka made the deadline a moment ago
    ::clock_gettime(CLOCK_MONOTONIC, &steady);
    auto const until =
        timespec_of(std::max<std::int64_t>(nanoseconds(steady) + nanoseconds(*deadline) - nanoseconds(wall), 0));
    auto const ended = ::pthread_cond_clockwait(reinterpret_cast<pthread_cond_t*>(condition),
        reinterpret_cast<pthread_mutex_t*>(mutex), CLOCK_MONOTONIC, &until);
    if (ended == 0) return thrd_success;
    return ended == ETIMEDOUT ? thrd_timedout : thrd_error;
}
