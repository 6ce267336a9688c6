#pragma once

// Why a command cannot continue, as a sentence for the operator: result<T, failure>.

#include "common/event/result.hpp"

#include <string>

namespace clerk_strapi::worker
{

struct failure
{
    std::string what;
};

}
