# Places where a test may have a program die, freeze or fail (common/process/fail_point.hpp). By a header, not by a
# definition for all files: only files that have such a place differ between builds with and without.
set(CLERK_FAIL_POINTS_BUILT_IN ${FAIL_POINTS})
configure_file(${CMAKE_SOURCE_DIR}/cmake/fail_points_built_in.hpp.in
               ${CMAKE_BINARY_DIR}/generated/fail_points/fail_points_built_in.hpp @ONLY)
add_library(fail_points INTERFACE)
target_include_directories(fail_points INTERFACE ${CMAKE_BINARY_DIR}/generated/fail_points)
