#include "worker/operate/drift_report.hpp"

#include "common/event/json_text.hpp"

#include <algorithm>
#include <utility>

namespace clerk_strapi::worker::commands
{
namespace
{

// Without a first import, missing users would fill the screen. Extras are always listed, because --repair deletes them.
constexpr std::uint64_t lines_of_a_kind_max = 200;
constexpr std::size_t kind_width = 12;
constexpr std::size_t id_width = 40;

std::string joined(std::vector<drift_field> const& fields, bool quoted)
{
    std::string text;
    for (auto const field : fields) {
        text += text.empty() ? "" : quoted ? "," : ", ";
        text += quoted ? json_string(to_string(field)) : std::string{to_string(field)};
    }
    return text;
}

std::string padded(std::string_view text, std::size_t width)
{
    std::string out{text};
    out.resize(std::max(width, out.size() + 2), ' ');
    return out;
}

}

drift_report::drift_report(std::ostream& out, bool json, std::string line_start)
    : out_{out}
    , json_{json}
    , line_start_{std::move(line_start)}
{
}

void drift_report::add(std::string_view clerk_id, drift const& found, bool repaired)
{
    auto* const counter = found.kind == drift_kind::missing ? &missing_
        : found.kind == drift_kind::differs                 ? &differs_
        : found.kind == drift_kind::tombstoned              ? &tombstoned_
                                                            : &extra_;
    ++*counter;
    repaired_ += repaired ? 1 : 0;
    if (json_) {
        out_ << R"({"clerk_id":)" << json_string(clerk_id) << R"(,"kind":")" << to_string(found.kind)
             << R"(","fields":[)" << joined(found.fields, true) << R"(],"repaired":)" << (repaired ? "true" : "false")
             << "}\n";
        return;
    }
    if (found.kind != drift_kind::extra && *counter > lines_of_a_kind_max) {
        if (*counter == lines_of_a_kind_max + 1)
            out_ << line_start_ << padded(to_string(found.kind), kind_width) << "... more; --json lists all\n";
        return;
    }
    out_ << line_start_ << padded(to_string(found.kind), kind_width) << padded(clerk_id, id_width)
         << joined(found.fields, false) << (repaired ? "  (repair published)" : "") << '\n';
}

void drift_report::summarise(bool finished, std::uint64_t requests)
{
    if (json_) {
        out_ << R"({"summary":true,"finished":)" << (finished ? "true" : "false") << R"(,"checked":)" << checked_
             << R"(,"missing":)" << missing_ << R"(,"differs":)" << differs_ << R"(,"tombstoned":)" << tombstoned_
             << R"(,"extra":)" << extra_ << R"(,"unusable":)" << unusable_ << R"(,"conflicts":)" << conflicts_
             << R"(,"under_way":)" << under_way_ << R"(,"repaired":)" << repaired_ << R"(,"deleted":)" << deleted_
             << R"(,"left":)" << left() << R"(,"requests":)" << requests << "}\n";
        return;
    }
    out_ << "reconcile: " << checked_ << " users checked; " << missing_ << " missing, " << differs_ << " differ, "
         << tombstoned_ << " tombstoned, " << extra_ << " extra";
    if (unusable_ > 0) out_ << ", " << unusable_ << " without a usable id";
    out_ << "; not counted as drift: " << conflicts_ << " value conflicts, " << under_way_ << " recent changes\n";
}

}
