#pragma once

// A table for a terminal: left-aligned columns, each as wide as its widest cell.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace clerk_strapi::worker::commands
{

// Text from a record may hold control characters, which a terminal must not execute.
[[nodiscard]] inline std::string printable(std::string_view text)
{
    std::string out{text};
    for (auto& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') c = '?';
    }
    return out;
}

class text_table
{
public:
    explicit text_table(std::vector<std::string> head) { add(std::move(head)); }

    void add(std::vector<std::string> cells)
    {
        widths_.resize(std::max(widths_.size(), cells.size()));
        for (std::size_t i = 0; i < cells.size(); ++i) {
            cells[i] = printable(cells[i]);
            widths_[i] = std::max(widths_[i], cells[i].size());
        }
        rows_.push_back(std::move(cells));
    }

    [[nodiscard]] std::string text() const
    {
        std::string out;
        for (auto const& row : rows_) {
            for (std::size_t i = 0; i < row.size(); ++i) {
                out += row[i];
                if (i + 1 < row.size()) out += std::string(widths_[i] - row[i].size() + 2, ' ');
            }
            out += '\n';
        }
        return out;
    }

private:
    std::vector<std::vector<std::string>> rows_;
    std::vector<std::size_t> widths_;
};

}
