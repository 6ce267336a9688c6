#include "common/clerk/secret_key.hpp"

#include "common/config/file_watch.hpp"
#include "common/log/logging.hpp"

#include <memory>
#include <mutex>
#include <string_view>

namespace clerk_strapi
{
namespace
{

bool may_be_key(std::string_view text)
{
    constexpr std::size_t prefix = std::string_view{"sk_live_"}.size();
    return (text.starts_with("sk_live_") || text.starts_with("sk_test_")) && text.size() > prefix
        && text.find_first_of(" \t\r\n") == std::string_view::npos; // the key is sent in a header
}

class followed_key
{
public:
    followed_key(secret first, std::string path)
        : last_{std::move(first)}
        , file_{std::move(path)}
    {
    }

    secret now()
    {
        std::lock_guard const lock{mutex_};
        auto text = file_.changed();
        if (file_.lost()) log_kept("the file cannot be read any more");
        if (!text || *text == last_.reveal()) return last_;
        if (!may_be_key(*text)) {
            log_kept("the file does not hold one sk_live_ or sk_test_ key");
            return last_;
        }
        log::info("read the changed CLERK_SECRET_KEY; new calls of Clerk's API use it", {{"file", file_.path()}});
        last_ = secret{std::move(*text)};
        return last_;
    }

private:
    void log_kept(std::string_view fault) const
    {
        log::error("cannot use the changed CLERK_SECRET_KEY; keeping the previous key",
            {{"file", file_.path()}, {"fault", fault}});
    }

    std::mutex mutex_;
    secret last_;
    file_watch file_;
};

}

std::function<secret()> follow_secret_key(secret first, std::optional<std::string> const& file)
{
    if (!file) return [first = std::move(first)] { return first; };
    return [key = std::make_shared<followed_key>(std::move(first), *file)] { return key->now(); };
}

}
