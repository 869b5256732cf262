#include "terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include <boost/json/serialize.hpp>

namespace jiaozi::cli {
namespace {

// Columns a UTF-8 text takes in a terminal: the wide ranges of Unicode's East Asian Width that our texts use count two.
std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        columns += lead >= 0xE2 && length >= 3 ? 2 : 1;
        i += length;
    }
    return columns;
}

std::string cell(const boost::json::value& value) {
    if (value.is_string()) return std::string(value.get_string());
    if (value.is_null()) return "-";
    return boost::json::serialize(value);
}

void pad(std::string& line, std::string_view text, std::size_t to) {
    line += text;
    const std::size_t used = width(text);
    if (used < to) line.append(to - used, ' ');
}

// Every object in a list has the same fields; what is an object itself in any of them (sim, data, offline) is left to
// --json.
std::vector<std::string> columns_of(const boost::json::array& rows) {
    std::vector<std::string> names;
    for (const auto& field : rows.front().as_object()) {
        const bool nested = std::ranges::any_of(rows, [&](const boost::json::value& row) {
            const auto* value = row.as_object().if_contains(field.key());
            return value != nullptr && value->is_object();
        });
        if (field.key() != "object" && !nested) names.emplace_back(field.key());
    }
    return names;
}

std::string table(const boost::json::array& rows) {
    if (rows.empty()) return say("(none)\n", "（无）\n");
    const std::vector<std::string> names = columns_of(rows);
    std::vector<std::size_t> widths;
    for (const std::string& name : names) {
        std::size_t widest = width(name);
        for (const auto& row : rows) {
            if (const auto* field = row.as_object().if_contains(name)) widest = std::max(widest, width(cell(*field)));
        }
        widths.push_back(widest + 2);
    }
    std::string text;
    const auto add_line = [&](const auto& cell_of) {
        std::string line;
        for (std::size_t i = 0; i < names.size(); ++i) pad(line, cell_of(names[i]), widths[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    };
    add_line([](const std::string& name) { return name; });
    for (const auto& row : rows) {
        add_line([&](const std::string& name) {
            const auto* field = row.as_object().if_contains(name);
            return field != nullptr ? cell(*field) : std::string();
        });
    }
    return text;
}

// Fields of what is an object itself are named by both: offline.note.
void flatten(const boost::json::object& object, const std::string& prefix, boost::json::object& out) {
    for (const auto& field : object) {
        const std::string name = prefix + std::string(field.key());
        if (field.value().is_object()) {
            flatten(field.value().get_object(), name + ".", out);
        } else if (field.key() != "object") {
            out[name] = field.value();
        }
    }
}

std::string lines(const boost::json::object& nested) {
    boost::json::object object;
    flatten(nested, {}, object);
    std::size_t widest = 0;
    for (const auto& field : object) widest = std::max(widest, field.key().size());
    std::string text;
    for (const auto& field : object) {
        pad(text, std::string_view(field.key().data(), field.key().size()), widest + 2);
        if (field.value().is_array() && !field.value().get_array().empty() &&
            field.value().get_array().front().is_object()) {
            text += '\n' + table(field.value().get_array());
        } else {
            text += cell(field.value()) + '\n';
        }
    }
    return text;
}

}  // namespace

Exit exit_for(const Error& error) {
    switch (error.kind()) {
        case ErrorKind::malformed:
        case ErrorKind::invalid:
        case ErrorKind::too_large:
            return Exit::usage;
        case ErrorKind::not_found:
            return Exit::not_found;
        case ErrorKind::declined:
            return Exit::declined;
        case ErrorKind::conflict:
            return Exit::conflict;
        case ErrorKind::unauthenticated:
        case ErrorKind::forbidden:
            return Exit::unauthorized;
        case ErrorKind::rate_limited:
        case ErrorKind::unavailable:
        case ErrorKind::timeout:
            return Exit::unavailable;
        case ErrorKind::io:
        case ErrorKind::corrupt:
        case ErrorKind::internal:
            return Exit::failed;
    }
    return Exit::failed;
}

Exit exit_for_status(long status, std::string_view code) {
    if (status < 300) return Exit::ok;
    if (status == 400 || status == 413 || status == 415) return Exit::usage;
    if (status == 401 || status == 403) return Exit::unauthorized;
    if (status == 402 || code == "device_offline" || code == "device_busy") return Exit::declined;
    if (status == 404) return Exit::not_found;
    if (status == 409 || status == 422) return Exit::conflict;
    if (status == 429 || status == 503) return Exit::unavailable;
    return Exit::failed;
}

bool chinese() {
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): read once, before any thread is started
        if (const char* value = std::getenv(name); value != nullptr && *value != '\0')
            return std::string_view(value).starts_with("zh");
    }
    return false;
}

std::string render(const boost::json::value& value) {
    if (!value.is_object()) return boost::json::serialize(value) + "\n";
    const auto& object = value.get_object();
    const auto* data = object.if_contains("data");
    if (data == nullptr || !data->is_array()) return lines(object);
    std::string text = table(data->get_array());
    if (const auto* more = object.if_contains("has_more"); more != nullptr && more->is_bool() && more->get_bool()) {
        text += say("more: repeat with --starting-after and the last id\n",
                    "还有更多：加 --starting-after 和最后一个 id 再执行\n");
    }
    return text;
}

}  // namespace jiaozi::cli
