#include "worker/decide/document_id.hpp"

#include "common/event/sha256.hpp"

namespace clerk_strapi::worker
{

namespace
{

// A byte modulo 36 is not uniform. That is enough for an identity of 24 characters.
std::string to_document_id(std::string const& source)
{
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t letters = 26;
    constexpr std::size_t length = 24;
    auto const digest = sha256(source);
    std::string id;
    for (std::size_t i = 0; i < length; ++i)
        id += alphabet[digest[i] % (i == 0 ? letters : alphabet.size())];
    return id;
}

}

std::string user_document_id(std::string_view clerk_id) { return to_document_id("user:" + std::string{clerk_id}); }

std::string profile_document_id(std::string_view clerk_id, std::string_view content_type)
{
    return to_document_id("profile:" + std::string{content_type} + ":" + std::string{clerk_id});
}

}
