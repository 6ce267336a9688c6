#pragma once

// A file whose content may be replaced while the program runs: a secret in a mounted volume. A check costs one stat().
// The file is read only when its inode, size or modification time differs, and changed() returns the content only when
// the content differs. When the file is missing or unreadable, the previous content stays in use and lost() is true.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace clerk_strapi
{

class file_watch
{
public:
    explicit file_watch(std::string path)
        : path_{std::move(path)}
    {
    }

    // The new content, without its trailing newlines, when it changed since the last call. The first call returns the
    // content of a readable file.
    [[nodiscard]] std::optional<std::string> changed();
    // True once, after changed() found that a file it had read is gone or unreadable.
    [[nodiscard]] bool lost() { return std::exchange(lost_, false); }
    [[nodiscard]] std::string const& path() const { return path_; }

private:
    [[nodiscard]] std::optional<std::string> nothing_to_read();

    struct identity
    {
        std::uint64_t inode{0};
        std::int64_t size{-1};
        std::int64_t seconds{0};
        std::int64_t nanoseconds{0};
        bool operator==(identity const&) const = default;
    };

    std::string path_;
    identity seen_;
    std::optional<std::string> content_;
    bool readable_{false};
    bool lost_{false};
};

// Without trailing newlines; nothing when the file is unreadable or larger than 1 MiB.
[[nodiscard]] std::optional<std::string> read_value_file(std::string const& path);

}
