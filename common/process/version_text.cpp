#include "common/process/version_text.hpp"

#include <boost/version.hpp>
#include <openssl/crypto.h>

namespace clerk_strapi
{

std::vector<library_version> runtime_libraries()
{
    auto const boost = std::to_string(BOOST_VERSION / 100'000) + "." + std::to_string(BOOST_VERSION / 100 % 1'000) + "."
        + std::to_string(BOOST_VERSION % 100);
    return {{"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING)}, {"Boost", boost}};
}

std::string version_text(std::string const& first_line, std::vector<std::vector<library_version>> const& libraries)
{
    auto text = first_line;
    for (auto const& of_one_folder : libraries) {
        for (auto const& [name, version] : of_one_folder)
            text += "\n" + name + " " + version;
    }
    return text;
}

}
