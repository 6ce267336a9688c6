#pragma once

// Places where a test may have the program die, freeze, dawdle or fail, by name: CLERK_FAIL_POINTS in the environment
// of a program that was built with the CMake option FAIL_POINTS. In every other build a fail point is nothing at all:
// no call, no name in the binary (tests/faults checks it).
//
//     CLERK_FAIL_POINTS=worker.in_transaction=abort,http.after_answer=delay:200%10@7
//
// Actions: abort (SIGKILL to itself), stop (SIGSTOP to itself, once), delay:MS, error (the place says what that means;
// most ignore it). %N is the chance of each pass in percent, @N the seed it is drawn from.

#include "fail_points_built_in.hpp"

namespace clerk_strapi
{

// Where they stand; fail_point.cpp has their names, tests/faults/README.md what each is good for.
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

// True: the caller is to fail here. Ends the program over a description that cannot be read.
[[nodiscard]] bool pass(fail_at point);

}

inline bool fail_point([[maybe_unused]] fail_at point)
{
    if constexpr (fail_points_built_in)
        return fail_points::pass(point);
    else
        return false;
}

}
