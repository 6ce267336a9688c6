// librdkafka (2.0.2 and 2.8.0) waits by the wall clock: each of its timed waits is C11's cnd_timedwait, whose deadline
// is a time of day. When that clock is set back by ten minutes, its threads sleep ten minutes longer: no heartbeat, no
// end of a poll, no stop. The dynamic linker prefers a program's own function over glibc's, so librdkafka calls the one
// below. It waits equally long by the steady clock, so a step of the wall clock during the wait has no effect (F20).

#include <pthread.h>
#include <threads.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

namespace
{

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;

std::int64_t nanoseconds(timespec const& time) { return time.tv_sec * nanoseconds_per_second + time.tv_nsec; }

timespec timespec_of(std::int64_t time) { return {time / nanoseconds_per_second, time % nanoseconds_per_second}; }

}

// glibc's C11 types have the layout of its POSIX types, and its own cnd_timedwait has the same casts.
static_assert(sizeof(cnd_t) == sizeof(pthread_cond_t) && alignof(cnd_t) == alignof(pthread_cond_t));
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && alignof(mtx_t) == alignof(pthread_mutex_t));

extern "C" int cnd_timedwait(cnd_t* condition, mtx_t* mutex, timespec const* deadline)
{
    timespec wall{};
    timespec steady{};
    std::timespec_get(&wall, TIME_UTC); // the clock of librdkafka's deadline
    ::clock_gettime(CLOCK_MONOTONIC, &steady);
    auto const until =
        timespec_of(std::max<std::int64_t>(nanoseconds(steady) + nanoseconds(*deadline) - nanoseconds(wall), 0));
    auto const ended = ::pthread_cond_clockwait(reinterpret_cast<pthread_cond_t*>(condition),
        reinterpret_cast<pthread_mutex_t*>(mutex), CLOCK_MONOTONIC, &until);
    if (ended == 0) return thrd_success;
    return ended == ETIMEDOUT ? thrd_timedout : thrd_error;
}
