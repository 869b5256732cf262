#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <jiaozi/base/log.hpp>

namespace jiaozi::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) noexcept {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warn:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::off:
            return spdlog::level::off;
    }
    return spdlog::level::off;
}

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = std::make_shared<spdlog::logger>("jiaozi", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
        return made;
    }();
    return *instance;
}

// A value with a space, a quote or a control character is quoted, so that a line stays one line and splits cleanly.
void append_value(std::string& line, std::string_view value) {
    const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
    if (!plain) line += '"';
    for (const char c : value) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            line += '?';
        } else {
            if (c == '"' || c == '\\') line += '\\';
            line += c;
        }
    }
    if (!plain) line += '"';
}

}  // namespace

void set_level(Level level) noexcept {
    logger().set_level(to_spdlog(level));
}

bool enabled(Level level) noexcept {
    return logger().should_log(to_spdlog(level));
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line(message);
    for (const auto& [key, value] : fields) {
        line += ' ';
        line += key;
        line += '=';
        append_value(line, value);
    }
    logger().log(to_spdlog(level), line);
}

}  // namespace jiaozi::log
