#include "common/config/file_watch.hpp"

#include <fstream>
#include <sys/stat.h>

namespace clerk_strapi
{
namespace
{

constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;

}

std::optional<std::string> read_value_file(std::string const& path)
{
    struct stat found = {};
    if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return std::nullopt;
    std::ifstream file{path, std::ios::binary};
    if (!file) return std::nullopt;
    std::string content(file_bytes_max + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (file.bad() || file.gcount() > static_cast<std::streamsize>(file_bytes_max)) return std::nullopt;
    content.resize(static_cast<std::size_t>(file.gcount()));
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r'))
        content.pop_back();
    return content;
}

std::optional<std::string> file_watch::changed()
{
    struct stat found = {};
    if (::stat(path_.c_str(), &found) != 0) return nothing_to_read();
    identity const now{found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
    if (now == seen_) {
        readable_ = true;
        return std::nullopt;
    }
    auto content = read_value_file(path_);
    if (!content) return nothing_to_read();
    readable_ = true;
    seen_ = now;
    if (content == content_) return std::nullopt;
    content_ = std::move(content);
    return content_;
}

std::optional<std::string> file_watch::nothing_to_read()
{
    if (std::exchange(readable_, false)) lost_ = true;
    return std::nullopt;
}

}
