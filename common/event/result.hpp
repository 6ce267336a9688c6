#pragma once

// Bad input is a value: result<T, reason>. See common/README.md, "Three kinds of errors".

#include <boost/system/result.hpp>

namespace clerk_strapi
{

template <class T, class E>
using result = boost::system::result<T, E>;

}
