// SQL text with its bound parameters, kept apart: text is this library's own constants, every value is a parameter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/id.hpp>

namespace jiaozi::registry {

// Both databases agree on exactly two kinds of value, and SOCI carries them without conversion: text and 64-bit
// integers.
enum class Type : std::uint8_t { text, number };

// A parameter on its way in, or a column on its way out.
struct Cell {
    Type type = Type::text;
    bool null = false;
    long long number = 0;
    std::string text;
};

inline Cell param(std::string_view text) {
    return {.type = Type::text, .text = std::string(text)};
}
inline Cell param(ByteView bytes) {
    return {.type = Type::text, .text = to_hex(bytes)};
}
inline Cell param(std::uint64_t number) {
    return {.type = Type::number, .number = static_cast<long long>(number), .text = {}};
}
inline Cell param(Timestamp time) {
    return param(time.ns);
}
template <class Tag>
Cell param(Id<Tag> id) {
    return {.type = Type::text, .null = !id, .text = id ? id.to_string() : std::string()};
}

class Sql {
  public:
    Sql() = default;
    explicit Sql(std::string_view text) : text_(text) {}

    Sql& operator<<(std::string_view text) {
        text_ += text;
        return *this;
    }
    // Appends ":pN" and keeps the value; names are distinct, so position and name agree.
    Sql& operator<<(Cell value) {
        text_ += ":p";
        text_ += std::to_string(values_.size());
        values_.push_back(std::move(value));
        return *this;
    }

    const std::string& text() const noexcept { return text_; }
    const std::vector<Cell>& values() const noexcept { return values_; }

  private:
    std::string text_;
    std::vector<Cell> values_;
};

// The optional conditions of a list, joined by AND. A filter that is not set adds nothing.
class Where {
  public:
    explicit Where(std::string_view select) : sql_(select) {}

    // Starts the next condition; the caller appends it.
    Sql& next() {
        sql_ << (std::exchange(any_, true) ? " AND " : " WHERE ");
        return sql_;
    }
    template <class Tag>
    Where& equal(std::string_view column, Id<Tag> id) {
        if (id) next() << column << " = " << param(id);
        return *this;
    }
    Where& equal(std::string_view column, std::string_view text) {
        if (!text.empty()) next() << column << " = " << param(text);
        return *this;
    }

    Sql& sql() noexcept { return sql_; }

  private:
    Sql sql_;
    bool any_ = false;
};

}  // namespace jiaozi::registry
