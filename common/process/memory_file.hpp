#pragma once

// A file that exists in memory only, for a library that reads secrets from files. It works with a read-only root file
// system, has mode 0600, never changes, and is removed with the object.

#include <string>
#include <string_view>

namespace clerk_strapi
{

class memory_file
{
public:
    // Throws std::system_error when the kernel has no memory or no descriptor left.
    explicit memory_file(std::string_view content);
    ~memory_file();
    memory_file(memory_file const&) = delete;
    memory_file& operator=(memory_file const&) = delete;

    // Valid in this process only, as long as the object exists.
    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};

}
