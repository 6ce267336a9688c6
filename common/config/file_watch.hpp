#pragma once

// A file whose content may be replaced while we run: secrets in mounted volumes. Looking costs one stat();
// the content is read only when inode, size or time of change differ, and is handed out only when it does.
// An unreadable or missing file is no news: what was read before stays in force, and lost() says so.

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

    // The new content, without its trailing newline, when it changed since the last call. The first call
    // always hands out what is there.
    [[nodiscard]] std::optional<std::string> changed();
    // True once, after changed() found that what could be read before is gone or cannot be read any more.
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

// Without trailing newlines; nothing when the file cannot be read or is larger than 1 MiB.
[[nodiscard]] std::optional<std::string> read_value_file(std::string const& path);

}
