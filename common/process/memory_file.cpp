#include "common/process/memory_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace clerk_strapi
{
namespace
{

// From Linux 6.3. A kernel with vm.memfd_noexec=2 creates no file without it; an older kernel rejects it.
constexpr unsigned no_exec_seal = 0x0008U;

[[noreturn]] void fail(char const* what) { throw std::system_error{errno, std::generic_category(), what}; }

int create()
{
    constexpr auto flags = static_cast<unsigned>(MFD_CLOEXEC | MFD_ALLOW_SEALING);
    auto descriptor = ::memfd_create("clerk", flags | no_exec_seal);
    if (descriptor < 0 && errno == EINVAL) descriptor = ::memfd_create("clerk", flags);
    if (descriptor < 0) fail("cannot create a file in memory");
    return descriptor;
}

void write_all(int descriptor, std::string_view content)
{
    while (!content.empty()) {
        auto const written = ::write(descriptor, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("cannot write a file in memory");
        content.remove_prefix(static_cast<std::size_t>(written));
    }
}

}

memory_file::memory_file(std::string_view content)
    : descriptor_{create()}
{
    try {
        write_all(descriptor_, content);
        if (::fchmod(descriptor_, S_IRUSR | S_IWUSR) != 0) fail("cannot protect a file in memory");
        if (::fcntl(descriptor_, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
            fail("cannot seal a file in memory");
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

memory_file::~memory_file() { ::close(descriptor_); }

}
