# Warnings, sanitizers and hardening, as an INTERFACE target that all our libraries link.

add_library(project_options INTERFACE)
target_include_directories(project_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Werror=switch
  $<$<BOOL:${WARNINGS_AS_ERRORS}>:-Werror>)

if(SANITIZE)
  target_compile_options(project_options INTERFACE -fsanitize=${SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(project_options INTERFACE -fsanitize=${SANITIZE})
  if(SANITIZE MATCHES thread)
    target_compile_options(project_options INTERFACE -Wno-tsan)  # Asio uses fences, which GCC's sanitizer does not support
    add_library(seen_threads SHARED tests/support/seen_threads.cpp)  # makes librdkafka's threads visible to it
    target_compile_options(seen_threads PRIVATE -fsanitize=thread)
    target_link_options(seen_threads PRIVATE -fsanitize=thread)
    target_link_libraries(project_options INTERFACE -Wl,--no-as-needed seen_threads -Wl,--as-needed)
  endif()
  if(FUZZ)
    target_compile_options(project_options INTERFACE -fsanitize=fuzzer-no-link)  # coverage of every file
  else()
    add_library(sanitizer_words STATIC tests/support/sanitizer_words.cpp)
    target_compile_options(sanitizer_words PRIVATE -fsanitize=${SANITIZE})
    # The sanitizer calls these functions and has defaults of its own, so the linker must take all of them.
    target_link_libraries(project_options INTERFACE $<LINK_LIBRARY:WHOLE_ARCHIVE,sanitizer_words>)
  endif()
else()
  # The hardening flags of Debian's own packages. _FORTIFY_SOURCE needs optimisation.
  target_compile_options(project_options INTERFACE
    -fstack-protector-strong -fstack-clash-protection -fcf-protection
    $<$<CONFIG:Release,RelWithDebInfo>:-D_FORTIFY_SOURCE=2>)
  target_link_options(project_options INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # So that a copy of the tree in another folder (tests/model/mutations) uses this folder's cache entries.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
