// Suppressions and options of the sanitizers, for every program and test: faults of other libraries.

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6.4 leaks one small result per broken connection, and our code has no access to it.
extern "C" char const* __lsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "leak:libpqxx\n";
}
extern "C" char const* __lsan_default_options() { return "print_suppressions=0"; } // NOLINT: a log contains only JSON
#endif

#ifdef __SANITIZE_THREAD__
// librdkafka counts references with atomics and is not compiled for the sanitizer, so its calls of free() and the like
// look like races with earlier owners. Our code calls none of these C functions, so suppressing them hides none of its
// races. libpqxx builds the text that begins a transaction once, in the first thread, behind a guard that is not
// compiled for the sanitizer either.
extern "C" char const* __tsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "race:^__interceptor_free$\n"
           "race:^__interceptor_pthread_mutex_destroy$\n"
           "race:^__interceptor_pthread_rwlock_destroy$\n"
           "race:^__interceptor_pthread_cond_destroy$\n"
           "race:^pqxx::transaction<\n";
}
extern "C" char const* __tsan_default_options() { return "print_suppressions=0"; } // NOLINT: a log contains only JSON
#endif
