# Places where a test can make a program die, freeze or fail (common/process/fail_point.hpp). A header, not a definition for
# all files, so that only files with a fail point are compiled again when the option changes.
set(CLERK_FAIL_POINTS_BUILT_IN ${FAIL_POINTS})
configure_file(${CMAKE_SOURCE_DIR}/cmake/fail_points_built_in.hpp.in
               ${CMAKE_BINARY_DIR}/generated/fail_points/fail_points_built_in.hpp @ONLY)
add_library(fail_points INTERFACE)
target_include_directories(fail_points INTERFACE ${CMAKE_BINARY_DIR}/generated/fail_points)
