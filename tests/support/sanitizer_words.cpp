// What sanitizers are told to leave out, in every program and test of a build with them: what others' libraries do.

#ifdef __SANITIZE_ADDRESS__
// libpqxx 6.4 loses one small result with each connection that breaks; nothing of ours can hold one.
extern "C" char const* __lsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "leak:libpqxx\n";
}
extern "C" char const* __lsan_default_options() { return "print_suppressions=0"; } // NOLINT: a log is JSON to its end
#endif

#ifdef __SANITIZE_THREAD__
// librdkafka counts its references by atomics that nobody compiled for the sanitizer, so what it frees looks like a race
// with whoever held it before: by free() and the like of C, which our code never calls. Its other calls are looked at,
// and so is what our code does inside them. libpqxx makes the words that begin a transaction once, in whichever thread is
// first, behind a guard that was not compiled for the sanitizer either.
extern "C" char const* __tsan_default_suppressions() // NOLINT: the sanitizer's own name
{
    return "race:^__interceptor_free$\n"
           "race:^__interceptor_pthread_mutex_destroy$\n"
           "race:^__interceptor_pthread_rwlock_destroy$\n"
           "race:^__interceptor_pthread_cond_destroy$\n"
           "race:^pqxx::transaction<\n";
}
extern "C" char const* __tsan_default_options() { return "print_suppressions=0"; } // NOLINT: a log is JSON to its end
#endif
