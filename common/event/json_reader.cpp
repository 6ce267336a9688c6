#include "common/event/json_reader.hpp"

#include "common/event/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace clerk_strapi
{

namespace
{

// Mixes a word at a time: names are short, and a loop over bytes would take most of the scan's time.
std::uint64_t hash_of(std::string_view text)
{
    constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15ULL;
    std::uint64_t hash = text.size() * multiplier;
    auto const mix = [&](std::uint64_t word) {
        hash = (hash ^ word) * multiplier;
        hash ^= hash >> 29;
    };
    std::uint64_t word = 0;
    while (text.size() >= sizeof word) {
        std::memcpy(&word, text.data(), sizeof word);
        mix(word);
        text.remove_prefix(sizeof word);
    }
    word = 0;
    std::memcpy(&word, text.data(), text.size());
    mix(word);
    return hash;
}

// 0: allowed in a string as it is; 1: quote, backslash or control character; 2: not ASCII.
constexpr auto string_class = [] {
    std::array<std::uint8_t, 256> table{};
    for (std::size_t c = 0; c < 0x20; ++c)
        table[c] = 1;
    table['"'] = table['\\'] = 1;
    for (std::size_t c = 0x80; c < 256; ++c)
        table[c] = 2;
    return table;
}();

std::optional<unsigned> hex4(char const* p, char const* end)
{
    if (end - p < 4) return std::nullopt;
    unsigned value = 0;
    auto const [stopped, error] = std::from_chars(p, p + 4, value, 16);
    if (error != std::errc{} || stopped != p + 4) return std::nullopt;
    return value;
}

constexpr bool is_high_surrogate(unsigned unit) { return unit >= 0xD800 && unit < 0xDC00; }
constexpr bool is_low_surrogate(unsigned unit) { return unit >= 0xDC00 && unit < 0xE000; }

// The length of the escape after the backslash before p; 0 when it is invalid. A pair of surrogates is one escape. A
// lone surrogate is invalid, because UTF-8 cannot encode it.
std::size_t escape_length(char const* p, char const* end)
{
    if (p == end) return 0;
    if (std::strchr("\"\\/bfnrt", *p) != nullptr && *p != '\0') return 1;
    if (*p != 'u') return 0;
    auto const unit = hex4(p + 1, end);
    if (!unit || is_low_surrogate(*unit)) return 0;
    if (!is_high_surrogate(*unit)) return 5;
    if (end - p < 11 || p[5] != '\\' || p[6] != 'u') return 0;
    auto const low = hex4(p + 7, end);
    return low && is_low_surrogate(*low) ? 11 : 0;
}

// `raw` was checked by take_raw_string().
std::string unescape(std::string_view raw)
{
    std::string out;
    out.reserve(raw.size());
    for (auto const* p = raw.data(); p != raw.data() + raw.size();) {
        if (*p != '\\') {
            out.push_back(*p++);
            continue;
        }
        ++p;
        auto const* const end = raw.data() + raw.size();
        auto const length = escape_length(p, end);
        switch (*p) {
        case 'b': out.push_back('\b'); break;
        case 'f': out.push_back('\f'); break;
        case 'n': out.push_back('\n'); break;
        case 'r': out.push_back('\r'); break;
        case 't': out.push_back('\t'); break;
        case 'u': {
            auto code = *hex4(p + 1, end);
            if (length == 11) code = 0x10000 + ((code - 0xD800) << 10) + (*hex4(p + 7, end) - 0xDC00);
            append_utf8(out, code);
            break;
        }
        default: out.push_back(*p);
        }
        p += length;
    }
    return out;
}

}

bool json_reader::stop(json_fault fault)
{
    if (fault_ == json_fault::none) fault_ = fault;
    next_ = end_;
    return false;
}

void json_reader::skip_space()
{
    while (next_ != end_ && (*next_ == ' ' || *next_ == '\n' || *next_ == '\r' || *next_ == '\t'))
        ++next_;
}

bool json_reader::try_take(char wanted)
{
    skip_space();
    if (next_ == end_ || *next_ != wanted) return false;
    ++next_;
    return true;
}

bool json_reader::take(char wanted) { return try_take(wanted) || stop(json_fault::syntax); }

bool json_reader::take_word(std::string_view word)
{
    if (static_cast<std::size_t>(end_ - next_) < word.size() || std::memcmp(next_, word.data(), word.size()) != 0)
        return stop(json_fault::syntax);
    next_ += word.size();
    return true;
}

bool json_reader::enter(char open)
{
    if (fault_ != json_fault::none) return false;
    if (!take(open)) return false;
    return ++depth_ <= levels_max_ || stop(json_fault::too_deep);
}

bool json_reader::same_name(name_mark const& a, name_mark const& b) const
{
    auto const plain = [](name_mark const& mark) {
        std::string_view const raw{mark.begin, mark.size};
        return mark.escaped ? unescape(raw) : std::string{raw};
    };
    return a.hash == b.hash && plain(a) == plain(b);
}

bool json_reader::leave_object(std::size_t first_name)
{
    --depth_;
    auto const begin = names_.begin() + static_cast<std::ptrdiff_t>(first_name);
    auto const by_hash = [](name_mark const& a, name_mark const& b) { return a.hash < b.hash; };
    if (names_.end() - begin > 1) {
        std::sort(begin, names_.end(), by_hash);
        auto const same = [this](name_mark const& a, name_mark const& b) { return same_name(a, b); };
        if (std::adjacent_find(begin, names_.end(), same) != names_.end()) return stop(json_fault::duplicate_name);
    }
    names_.erase(begin, names_.end());
    return true;
}

std::optional<json_reader::raw_string> json_reader::take_raw_string()
{
    if (!take('"')) return std::nullopt;
    auto const* const begin = next_;
    auto escaped = false;
    while (next_ != end_) {
        auto const kind = string_class[static_cast<unsigned char>(*next_)];
        if (kind == 0) {
            ++next_;
        } else if (kind == 2) {
            auto const length = utf8_length({next_, static_cast<std::size_t>(end_ - next_)});
            if (length == 0) break;
            next_ += length;
        } else if (*next_ == '"') {
            return raw_string{{begin, static_cast<std::size_t>(next_++ - begin)}, escaped};
        } else if (*next_ == '\\') {
            auto const length = escape_length(next_ + 1, end_);
            if (length == 0) break;
            escaped = true;
            next_ += 1 + length;
        } else {
            break; // a raw control character
        }
    }
    stop(next_ == end_ ? json_fault::syntax : json_fault::bad_text);
    return std::nullopt;
}

std::optional<std::string_view> json_reader::member_name()
{
    auto const raw = take_raw_string();
    if (!raw) return std::nullopt;
    auto name = raw->text;
    if (raw->escaped) {
        name_buffer_ = unescape(raw->text);
        name = name_buffer_;
    }
    names_.push_back({hash_of(name), raw->text.data(), raw->text.size(), raw->escaped});
    if (!take(':')) return std::nullopt;
    return name;
}

std::optional<std::string_view> json_reader::take_number()
{
    auto const* const begin = next_;
    auto const digit = [&] { return next_ != end_ && *next_ >= '0' && *next_ <= '9'; };
    auto const digits = [&] {
        if (!digit()) return stop(json_fault::syntax);
        while (digit())
            ++next_;
        return true;
    };
    if (*next_ == '-') ++next_;
    if (next_ != end_ && *next_ == '0') {
        ++next_;
    } else if (!digits()) {
        return std::nullopt;
    }
    if (next_ != end_ && *next_ == '.') {
        ++next_;
        if (!digits()) return std::nullopt;
    }
    if (next_ != end_ && (*next_ == 'e' || *next_ == 'E')) {
        ++next_;
        if (next_ != end_ && (*next_ == '+' || *next_ == '-')) ++next_;
        if (!digits()) return std::nullopt;
    }
    return std::string_view{begin, static_cast<std::size_t>(next_ - begin)};
}

json_kind json_reader::peek()
{
    skip_space();
    if (next_ == end_) return json_kind::invalid;
    switch (*next_) {
    case '{': return json_kind::object;
    case '[': return json_kind::array;
    case '"': return json_kind::string;
    case 't':
    case 'f': return json_kind::boolean;
    case 'n': return json_kind::null;
    default: return *next_ == '-' || (*next_ >= '0' && *next_ <= '9') ? json_kind::number : json_kind::invalid;
    }
}

bool json_reader::skip()
{
    if (fault_ != json_fault::none) return false;
    switch (peek()) {
    case json_kind::object: return object([this](std::string_view) { return skip(); });
    case json_kind::array: return array([this] { return skip(); });
    case json_kind::string: return take_raw_string().has_value();
    case json_kind::number: return take_number().has_value();
    case json_kind::boolean: return take_word(*next_ == 't' ? "true" : "false");
    case json_kind::null: return take_word("null");
    case json_kind::invalid: return stop(json_fault::syntax);
    }
    return stop(json_fault::syntax);
}

std::optional<std::string_view> json_reader::raw()
{
    skip_space();
    auto const* const begin = next_;
    if (!skip()) return std::nullopt;
    return std::string_view{begin, static_cast<std::size_t>(next_ - begin)};
}

std::optional<std::string> json_reader::string()
{
    if (peek() != json_kind::string) {
        skip();
        return std::nullopt;
    }
    auto const raw = take_raw_string();
    if (!raw) return std::nullopt;
    return raw->escaped ? unescape(raw->text) : std::string{raw->text};
}

std::optional<std::int64_t> json_reader::integer()
{
    if (peek() != json_kind::number) {
        skip();
        return std::nullopt;
    }
    auto const text = take_number();
    if (!text) return std::nullopt;
    std::int64_t value = 0;
    auto const [stopped, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc{} || stopped != text->data() + text->size()) return std::nullopt;
    return value;
}

std::optional<bool> json_reader::boolean()
{
    if (peek() != json_kind::boolean) {
        skip();
        return std::nullopt;
    }
    auto const value = *next_ == 't';
    if (!take_word(value ? "true" : "false")) return std::nullopt;
    return value;
}

bool json_reader::finish()
{
    if (fault_ != json_fault::none) return false;
    skip_space();
    return next_ == end_ || stop(json_fault::syntax);
}

}
