#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6.4 loses one small result with each connection that breaks; nothing of ours can hold one.
extern "C" char const* __lsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "leak:libpqxx\n";
}
#endif

#ifdef __SANITIZE_THREAD__
// librdkafka counts its references by atomics that nobody compiled for the sanitizer, so each thing that it frees looks
// like a race. What our code does outside its calls is looked at in full.
extern "C" char const* __tsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "race:librdkafka.so\n";
}
#endif
