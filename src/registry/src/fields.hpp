// How a record's fields stand in columns. Each record says it once, in its Map<Record>:
//
//   template <> struct Map<Person> {
//       static constexpr std::string_view kind = "person", table = "people", order = "created";
//       static void fields(auto& visit, auto& person) {
//           visit("id", person.id);
//           visit("name", person.name, Text{1, 200});
//           visit("created", person.created);
//       }
//   };
//
// and three visitors make of it the list of columns, the parameters of a statement, and the record again. The first
// field is the primary key. Text forms: ids as they are shown (per_…), which read the same in both databases; 128-bit
// amounts as decimal digits, because SQLite would turn a NUMERIC beyond 63 bits into floating point; bytes as
// hexadecimal, which SOCI carries the same way to both; times as nanoseconds in 64 bits; none and never as NULL and 0.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <jiaozi/model/records.hpp>

#include "connection.hpp"

namespace jiaozi::registry {

template <class Record>
struct Map;

struct Column {
    std::string_view name;
    Type type;
};

// Bounds in bytes.
struct Text {
    std::size_t min = 0;
    std::size_t max = 200;
};

// UTF-8 without NUL (which PostgreSQL cannot store), within bounds. Error invalid naming the field.
Result<> check_text(std::string_view kind, std::string_view field, std::string_view text, Text bounds);
// Replaces what is not UTF-8, and NUL, by U+FFFD, and cuts between characters to at most max bytes.
std::string clean_text(std::string_view text, std::size_t max);
// The tokens of a list stand in one column, separated by spaces: none may be empty or hold white space.
Result<std::string> join_tokens(std::string_view kind, std::string_view field, const std::vector<std::string>& tokens);
std::vector<std::string> split_tokens(std::string_view text);

inline constexpr Text token_list{0, 4096};

template <class T>
struct IsId : std::false_type {};
template <class Tag>
struct IsId<Id<Tag>> : std::true_type {};

// std::unsigned_integral excludes __int128 in strict mode.
template <class T>
concept Number = std::integral<T> && !std::is_same_v<T, uint128>;

template <class T>
constexpr Type column_type() {
    return Number<T> || std::is_same_v<T, Timestamp> ? Type::number : Type::text;
}

struct ShapeVisitor {
    std::vector<Column> columns;

    template <class T>
    void operator()(std::string_view name, const T&, Text = {}) {
        columns.push_back({name, column_type<T>()});
    }
    void amount(std::string_view name, const Amount&) {
        columns.push_back({name, Type::text});
        columns.push_back({"asset", Type::text});
    }
};

// Writes a record's fields into parameters, `cells[at]` on; keeps the first error.
class BindVisitor {
  public:
    BindVisitor(std::string_view kind, std::vector<Cell>& cells, std::size_t at)
        : kind_(kind), cells_(cells), at_(at) {}

    void operator()(std::string_view name, const std::string& text, Text bounds) {
        check(check_text(kind_, name, text, bounds));
        next().text = text;
    }
    void operator()(std::string_view name, const Bytes& bytes, Text bounds) {
        if (bytes.size() < bounds.min || bytes.size() > bounds.max) check(out_of_bounds(name));
        next().text = to_hex(bytes);
    }
    void operator()(std::string_view name, const std::vector<std::string>& tokens) {
        auto joined = join_tokens(kind_, name, tokens);
        if (joined.ok()) {
            next().text = std::move(joined).value();
        } else {
            check(std::move(joined).error());
        }
    }
    void operator()(std::string_view, uint128 minor) { next().text = to_decimal(minor); }
    void operator()(std::string_view name, const Asset& asset) {
        // Only assets of the table can be read back.
        if (asset.ledger != 0) {
            const auto known = find_asset(asset.name());
            if (!known.ok() || !(*known == asset)) check(unknown_asset(name));
        }
        next().text = asset.name();
    }
    void operator()(std::string_view name, Timestamp time) { (*this)(name, time.ns); }
    template <Number N>
    void operator()(std::string_view name, N number) {
        if constexpr (!std::is_same_v<N, bool>) {
            if (!std::in_range<long long>(number)) check(out_of_bounds(name));
        }
        next().number = static_cast<long long>(number);
    }
    template <class E>
        requires std::is_enum_v<E>
    void operator()(std::string_view, E value) {
        next().text = name_of(value);
    }
    template <class Tag>
    void operator()(std::string_view, Id<Tag> id) {
        Cell& cell = next();
        cell.null = !id;
        cell.text = id ? id.to_string() : std::string();
    }
    void amount(std::string_view name, const Amount& amount) {
        (*this)(name, amount.minor());
        (*this)("asset", amount.asset());
    }

    Result<> outcome() && {
        if (error_) return std::move(*error_);
        return {};
    }

  private:
    Cell& next() { return cells_[at_++]; }
    void check(Result<> result) {
        if (!result.ok() && !error_) error_ = std::move(result).error();
    }
    Error out_of_bounds(std::string_view name) const;
    Error unknown_asset(std::string_view name) const;

    std::string_view kind_;
    std::vector<Cell>& cells_;
    std::size_t at_;
    std::optional<Error> error_;
};

inline Result<> parse_enum(std::string_view text, auto& value, auto parse) {
    auto parsed = parse(text);
    if (!parsed.ok()) return std::move(parsed).error();
    value = *parsed;
    return {};
}
inline Result<> parse_into(std::string_view text, GroupKind& value) {
    return parse_enum(text, value, parse_group_kind);
}
inline Result<> parse_into(std::string_view text, Role& value) {
    return parse_enum(text, value, parse_role);
}
inline Result<> parse_into(std::string_view text, DeviceKind& value) {
    return parse_enum(text, value, parse_device_kind);
}
inline Result<> parse_into(std::string_view text, DeviceState& value) {
    return parse_enum(text, value, parse_device_state);
}
inline Result<> parse_into(std::string_view text, PaymentKind& value) {
    return parse_enum(text, value, parse_payment_kind);
}
inline Result<> parse_into(std::string_view text, PaymentState& value) {
    return parse_enum(text, value, parse_payment_state);
}
inline Result<> parse_into(std::string_view text, Reason& value) {
    return parse_enum(text, value, parse_reason);
}
inline Result<> parse_into(std::string_view text, LimitKind& value) {
    return parse_enum(text, value, parse_limit_kind);
}

// Reads a record's fields from the columns of a row; keeps the first error, as corrupt.
class ReadVisitor {
  public:
    ReadVisitor(std::string_view kind, const std::vector<Cell>& cells) : kind_(kind), cells_(cells) {}

    void operator()(std::string_view, std::string& text, Text) { text = next().text; }
    void operator()(std::string_view name, Bytes& bytes, Text) { assign(name, from_hex(next().text), bytes); }
    void operator()(std::string_view, std::vector<std::string>& tokens) { tokens = split_tokens(next().text); }
    void operator()(std::string_view name, uint128& minor) { assign(name, parse_decimal(next().text), minor); }
    void operator()(std::string_view name, Asset& asset) {
        const std::string& code = next().text;
        if (!code.empty()) assign(name, find_asset(code), asset);
    }
    void operator()(std::string_view name, Timestamp& time) { (*this)(name, time.ns); }
    template <Number N>
    void operator()(std::string_view name, N& number) {
        const long long stored = next().number;
        if constexpr (std::is_same_v<N, bool>) {
            number = stored != 0;
        } else {
            if (!std::in_range<N>(stored)) corrupt(name);
            number = static_cast<N>(stored);
        }
    }
    template <class E>
        requires std::is_enum_v<E>
    void operator()(std::string_view name, E& value) {
        if (!parse_into(next().text, value).ok()) corrupt(name);
    }
    template <class Tag>
    void operator()(std::string_view name, Id<Tag>& id) {
        const Cell& cell = next();
        if (!cell.null) assign(name, Id<Tag>::parse(cell.text), id);
    }
    void amount(std::string_view name, Amount& amount) {
        uint128 minor = 0;
        Asset asset;
        (*this)(name, minor);
        (*this)("asset", asset);
        amount = Amount(minor, asset);
    }

    Result<> outcome() && {
        if (error_) return std::move(*error_);
        return {};
    }

  private:
    const Cell& next() { return cells_[at_++]; }
    template <class T>
    void assign(std::string_view name, Result<T> parsed, T& target) {
        if (parsed.ok()) {
            target = std::move(parsed).value();
        } else {
            corrupt(name);
        }
    }
    void corrupt(std::string_view name);

    std::string_view kind_;
    const std::vector<Cell>& cells_;
    std::size_t at_ = 0;
    std::optional<Error> error_;
};

}  // namespace jiaozi::registry
