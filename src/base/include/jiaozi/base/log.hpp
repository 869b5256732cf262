// Structured logging to stderr: one line an event, `key=value` after the message. Levels: debug, info, warn, error.
// Never pass secrets, keys, PINs, one-time codes or whole messages from devices; ids are fine. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace jiaozi::log {

enum class Level { debug, info, warn, error, off };

void set_level(Level level) noexcept;
bool enabled(Level level) noexcept;

using Field = std::pair<std::string_view, std::string>;

void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::info, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::warn, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
    write(Level::error, message, fields);
}

}  // namespace jiaozi::log
