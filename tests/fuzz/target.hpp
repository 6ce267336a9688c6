#pragma once

// A fuzz target: a name and a function that takes one input and checks the promises about it. libFuzzer
// calls it with generated inputs (fuzzer_main.cpp), the test with the kept ones (seeds_test.cpp).

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::fuzz
{

// The input broke a promise: libFuzzer keeps the input, a test fails with the file's name.
class broken_promise : public std::logic_error
{
public:
    using std::logic_error::logic_error;
};

inline void promise(bool kept, char const* what)
{
    if (!kept) throw broken_promise{what};
}

using input_check = void (*)(std::string_view input);

struct target
{
    std::string_view name; // of its folder below seeds/, too
    input_check check_input;
};

// Every target that is linked: all of them into the test, one into a fuzzer.
[[nodiscard]] std::vector<target>& targets();

// In each target's file: `bool const listed = list("envelope", check_envelope);`
bool list(std::string_view name, input_check check_input);

// The text before the separator; `rest` begins after it, and is empty when there is none.
[[nodiscard]] std::string_view take_until(std::string_view& rest, std::string_view separator);
[[nodiscard]] inline std::string_view take_line(std::string_view& rest) { return take_until(rest, "\n"); }

[[nodiscard]] std::string lower_case(std::string_view text); // ASCII
[[nodiscard]] std::string_view without_blanks(std::string_view text); // around it: spaces and tabs

}
