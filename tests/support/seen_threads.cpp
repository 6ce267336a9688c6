// C11 threads implemented with POSIX threads, only for the build with the thread sanitizer. GCC 12's sanitizer supports
// pthread_*, but not thrd_*, mtx_* and cnd_*, which Debian's librdkafka uses, so it would crash in the first such
// thread. This library is loaded before libc and replaces them. glibc's objects of both kinds have the same size and
// layout.

#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>

namespace
{

static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

pthread_mutex_t* posix(mtx_t* mutex) { return reinterpret_cast<pthread_mutex_t*>(mutex); }
pthread_cond_t* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }
int c11(int error)
{
    switch (error) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    default: return thrd_error;
    }
}

struct start
{
    thrd_start_t function;
    void* argument;
};

void* run(void* raw)
{
    std::unique_ptr<start> const what{static_cast<start*>(raw)};
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(what->function(what->argument)));
}

}

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument)
{
    auto what = std::make_unique<start>(start{function, argument});
    auto const error = pthread_create(thread, nullptr, run, what.get());
    if (error == 0) (void)what.release();
    return c11(error);
}

int thrd_join(thrd_t thread, int* result)
{
    void* raw = nullptr;
    auto const error = pthread_join(thread, &raw);
    if (result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(raw));
    return c11(error);
}

int thrd_detach(thrd_t thread) { return c11(pthread_detach(thread)); }
thrd_t thrd_current() { return pthread_self(); }

int mtx_init(mtx_t* mutex, int type)
{
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    if ((type & mtx_recursive) != 0) pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    auto const error = pthread_mutex_init(posix(mutex), &kind);
    pthread_mutexattr_destroy(&kind);
    return c11(error);
}

int mtx_lock(mtx_t* mutex) { return c11(pthread_mutex_lock(posix(mutex))); }
int mtx_trylock(mtx_t* mutex) { return c11(pthread_mutex_trylock(posix(mutex))); }
int mtx_unlock(mtx_t* mutex) { return c11(pthread_mutex_unlock(posix(mutex))); }
void mtx_destroy(mtx_t* mutex) { pthread_mutex_destroy(posix(mutex)); }

int cnd_init(cnd_t* condition) { return c11(pthread_cond_init(posix(condition), nullptr)); }
int cnd_signal(cnd_t* condition) { return c11(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return c11(pthread_cond_broadcast(posix(condition))); }
int cnd_wait(cnd_t* condition, mtx_t* mutex) { return c11(pthread_cond_wait(posix(condition), posix(mutex))); }
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, timespec const* until)
{
    return c11(pthread_cond_timedwait(posix(condition), posix(mutex), until));
}
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }
}
