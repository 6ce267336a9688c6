#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6.4 loses one small result with each connection that breaks; nothing of ours can hold one.
extern "C" char const* __lsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "leak:libpqxx\n";
}
#endif
