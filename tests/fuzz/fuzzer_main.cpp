// libFuzzer's entry to the one target that is linked with it. A broken promise leaves as an exception, which libFuzzer
// treats as a crash: it keeps the input and prints the promise.

#include "tests/fuzz/target.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) // NOLINT: libFuzzer's own name
{
    clerk_strapi::fuzz::targets().front().check_input({reinterpret_cast<char const*>(bytes), size});
    return 0;
}
