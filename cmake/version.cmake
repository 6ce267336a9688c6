# --version names the commit it was built from; without git (a source archive) it says "unknown".
find_package(Git QUIET)
set(BUILD_COMMIT unknown)
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(BUILD_COMMIT ${commit})
  endif()
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.hpp.in ${CMAKE_BINARY_DIR}/generated/build_version.hpp @ONLY)
add_library(build_version INTERFACE)
target_include_directories(build_version INTERFACE ${CMAKE_BINARY_DIR}/generated)
