#include "worker/decide/profile_name.hpp"

#include "common/event/sha256.hpp"

#include <array>

namespace clerk_strapi::worker
{

namespace
{

constexpr std::array<std::string_view, 16> adjectives{"Swift", "Brave", "Calm", "Bright", "Gentle", "Clever", "Quiet",
    "Merry", "Noble", "Sunny", "Bold", "Lucky", "Nimble", "Kind", "Keen", "Happy"};
constexpr std::array<std::string_view, 16> animals{"Tiger", "Falcon", "Otter", "Fox", "Heron", "Lynx", "Panda", "Whale",
    "Badger", "Robin", "Koala", "Raven", "Dolphin", "Hare", "Owl", "Beaver"};

}

std::string generated_profile_name(std::string_view clerk_id)
{
    auto const digest = sha256("name:" + std::string{clerk_id});
    auto const number = 1000 + (digest[2] * 256 + digest[3]) % 9000;
    return std::string{adjectives[digest[0] % adjectives.size()]} + std::string{animals[digest[1] % animals.size()]}
    + std::to_string(number);
}

}
