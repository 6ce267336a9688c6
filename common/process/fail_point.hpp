#pragma once

// Places where a test can make the program die, freeze, wait or fail, by name: CLERK_FAIL_POINTS in the environment of
// a program that was built with the CMake option FAIL_POINTS. Every other build contains nothing of a fail point: no
// call, and no name in the binary (tests/faults checks it).
//
//     CLERK_FAIL_POINTS=worker.in_transaction=abort,http.after_answer=delay:200%10@7
//
// Actions: abort (SIGKILL to itself), stop (SIGSTOP to itself, once), delay:MS, error (only places that call fails_at()
// fail). %N is the chance of the action in percent, each time; @N is the seed of that chance.

#include "fail_points_built_in.hpp"

namespace clerk_strapi
{

// fail_point.cpp has their names; tests/faults/README.md describes what each is for.
enum class fail_at {
    ingest_before_verify,
    ingest_after_verify,
    ingest_after_produce,
    ingest_after_report,
    http_after_answer,
    worker_after_poll,
    worker_in_transaction,
    worker_after_commit,
    worker_before_offset_commit,
    worker_after_park,
    worker_on_assigned,
    worker_on_revoked
};

namespace fail_points
{

// True: the caller must fail here. Ends the program when CLERK_FAIL_POINTS cannot be read.
bool pass(fail_at point);

}

// For a place that cannot fail by itself: it ignores the action `error`.
inline void fail_point([[maybe_unused]] fail_at point)
{
    if constexpr (fail_points_built_in) fail_points::pass(point);
}

// For a place that can fail by itself: true means it must.
[[nodiscard]] inline bool fails_at([[maybe_unused]] fail_at point)
{
    if constexpr (fail_points_built_in)
        return fail_points::pass(point);
    else
        return false;
}

}
