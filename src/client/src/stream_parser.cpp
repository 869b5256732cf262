#include <jiaozi/client/http_client.hpp>

namespace jiaozi::client {
namespace {

constexpr std::size_t max_event_bytes = 1U << 20;

}  // namespace

bool StreamParser::feed(std::string_view piece, const std::function<bool(const StreamEvent&)>& handler) {
    for (const char c : piece) {
        if (skip_newline_ && c == '\n') {
            skip_newline_ = false;
            continue;
        }
        skip_newline_ = c == '\r';
        if (c == '\r' || c == '\n') {
            if (!end_of_line(handler)) return false;
        } else if (line_.size() + event_.data.size() >= max_event_bytes) {
            return false;
        } else {
            line_ += c;
        }
    }
    return true;
}

bool StreamParser::end_of_line(const std::function<bool(const StreamEvent&)>& handler) {
    if (line_.empty()) {
        bool go_on = true;
        if (has_data_) go_on = handler(event_);
        event_.type.clear();
        event_.data.clear();
        has_data_ = false;
        return go_on;
    }
    const std::size_t colon = line_.find(':');
    const std::string_view line = line_;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = colon == std::string::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (name == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (name == "event") {
        event_.type = value;
    } else if (name == "id") {
        event_.id = value;
    }
    line_.clear();
    return true;
}

}  // namespace jiaozi::client
