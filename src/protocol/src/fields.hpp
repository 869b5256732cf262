// One description of each body (bodies.hpp) serves three visitors: Counter (how many keys will be written), Writer and
// Reader. So a key number, a type and a limit stand in one place, and what is written is what is read.
//
// An empty text or blob, a zero id and a nullopt mean "not given" in optional fields: they are not written, and the
// reader refuses them when they are, so that one value has one encoding.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/id.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/codec/cbor.hpp>

#include "id_bytes.hpp"

namespace jiaozi::protocol {

enum class Presence : std::uint8_t { required, optional };

// T, or const T: descriptions serve writers of const objects and readers of others.
template <class M, class T>
concept like = std::same_as<std::remove_const_t<M>, T>;

struct Size {
    std::size_t min = 0;
    std::size_t max = 0;
};

template <std::unsigned_integral T>
struct Range {
    T min = 0;
    T max = std::numeric_limits<T>::max();
};

class Counter {
  public:
    std::uint64_t count() const noexcept { return count_; }

    template <class T>
    void number(int, std::string_view, const T&, Range<T> = {}) {
        ++count_;
    }
    template <class T>
    void optional_number(int, std::string_view, const std::optional<T>& value) {
        count_ += value ? 1 : 0;
    }
    template <class T>
    void number_unless_zero(int, std::string_view, const T& value) {
        count_ += value != 0 ? 1 : 0;
    }
    template <class E>
    void choice(int, std::string_view, const E&, E, E) {
        ++count_;
    }
    void boolean(int, std::string_view, const bool&) { ++count_; }
    void text(int, std::string_view, const std::string& value, Size, Presence presence = Presence::required) {
        add(presence, !value.empty());
    }
    void blob(int, std::string_view, const Bytes&, Size) { ++count_; }
    template <std::size_t N>
    void fixed(int, std::string_view, const std::array<std::uint8_t, N>&) {
        ++count_;
    }
    template <std::size_t N>
    void optional_fixed(int, std::string_view, const std::optional<std::array<std::uint8_t, N>>& value) {
        count_ += value ? 1 : 0;
    }
    template <class SomeId>
    void id(int, std::string_view, const SomeId& value, Presence presence = Presence::required) {
        add(presence, static_cast<bool>(value));
    }
    template <class T>
    void list(int, std::string_view, const std::vector<T>&, std::size_t) {
        ++count_;
    }

  private:
    void add(Presence presence, bool present) { count_ += presence == Presence::required || present ? 1 : 0; }
    std::uint64_t count_ = 0;
};

class Writer {
  public:
    explicit Writer(codec::CborWriter& out) : out_(&out) {}

    template <class M>
    static void map(codec::CborWriter& out, const M& body) {
        Counter counter;
        fields(counter, body);
        out.map(counter.count());
        Writer writer(out);
        fields(writer, body);
    }

    template <class T>
    void number(int key, std::string_view, const T& value, Range<T> = {}) {
        out_->integer(key).uint(value);
    }
    template <class T>
    void optional_number(int key, std::string_view, const std::optional<T>& value) {
        if (value) out_->integer(key).uint(*value);
    }
    template <class T>
    void number_unless_zero(int key, std::string_view, const T& value) {
        if (value != 0) out_->integer(key).uint(value);
    }
    template <class E>
    void choice(int key, std::string_view, const E& value, E, E) {
        out_->integer(key).uint(static_cast<std::uint64_t>(value));
    }
    void boolean(int key, std::string_view, const bool& value) { out_->integer(key).boolean(value); }
    void text(int key, std::string_view, const std::string& value, Size, Presence presence = Presence::required) {
        if (presence == Presence::required || !value.empty()) out_->integer(key).text(value);
    }
    void blob(int key, std::string_view, const Bytes& value, Size) { out_->integer(key).bytes(value); }
    template <std::size_t N>
    void fixed(int key, std::string_view, const std::array<std::uint8_t, N>& value) {
        out_->integer(key).bytes(value);
    }
    template <std::size_t N>
    void optional_fixed(int key, std::string_view, const std::optional<std::array<std::uint8_t, N>>& value) {
        if (value) out_->integer(key).bytes(*value);
    }
    template <class SomeId>
    void id(int key, std::string_view, const SomeId& value, Presence presence = Presence::required) {
        if (presence == Presence::required || value) out_->integer(key).bytes(id_bytes(value.value));
    }
    template <class T>
    void list(int key, std::string_view, const std::vector<T>& values, std::size_t) {
        out_->integer(key).array(values.size());
        for (const T& value : values) map(*out_, value);
    }

  private:
    codec::CborWriter* out_;
};

// Goes on as a no-op after the first error, so that descriptions stay straight lines.
class Reader {
  public:
    explicit Reader(codec::CborMapReader& in) : in_(&in) {}

    template <class M>
    static Result<void> map(codec::CborReader& from, M& body) {
        JZ_TRY(auto in, codec::CborMapReader::open(from));
        Reader reader(in);
        fields(reader, body);
        if (reader.failed_) return std::move(*reader.failed_);
        return in.finish();
    }

    // The first error, for maps that are read by hand.
    Result<void> result() && {
        if (failed_) return std::move(*failed_);
        return {};
    }

    template <class T>
    void number(int key, std::string_view name, T& value, Range<T> range = {}) {
        if (const auto read = take([&] { return in_->uint(key, name); })) assign(name, value, *read, range);
    }
    template <class T>
    void optional_number(int key, std::string_view name, std::optional<T>& value) {
        const auto read = take([&] { return in_->optional_uint(key, name); });
        if (!read || !*read) return;
        T number = 0;
        assign(name, number, **read, Range<T>{});
        value = number;
    }
    template <class T>
    void number_unless_zero(int key, std::string_view name, T& value) {
        const auto read = take([&] { return in_->optional_uint(key, name); });
        if (read && *read) assign(name, value, **read, Range<T>{.min = 1});
    }
    template <class E>
    void choice(int key, std::string_view name, E& value, E first, E last) {
        const auto read = take([&] { return in_->uint(key, name); });
        if (!read) return;
        if (*read < static_cast<std::uint64_t>(first) || *read > static_cast<std::uint64_t>(last)) {
            return fail(name, "is not one of the numbers specified");
        }
        value = static_cast<E>(*read);
    }
    void boolean(int key, std::string_view name, bool& value) {
        if (const auto read = take([&] { return in_->boolean(key, name); })) value = *read;
    }
    void text(int key, std::string_view name, std::string& value, Size size, Presence presence = Presence::required) {
        if (presence == Presence::required) {
            const auto read = take([&] { return in_->text(key, name); });
            if (read && check_size(name, read->size(), size)) value = *read;
            return;
        }
        const auto read = take([&] { return in_->optional_text(key, name); });
        if (read && *read && check_size(name, (*read)->size(), {std::max<std::size_t>(size.min, 1), size.max}))
            value = **read;
    }
    void blob(int key, std::string_view name, Bytes& value, Size size) {
        const auto read = take([&] { return in_->bytes(key, name); });
        if (read && check_size(name, read->size(), size)) value = to_bytes(*read);
    }
    template <std::size_t N>
    void fixed(int key, std::string_view name, std::array<std::uint8_t, N>& value) {
        const auto read = take([&] { return in_->bytes(key, name); });
        if (read && check_size(name, read->size(), {N, N})) std::ranges::copy(*read, value.begin());
    }
    template <std::size_t N>
    void optional_fixed(int key, std::string_view name, std::optional<std::array<std::uint8_t, N>>& value) {
        const auto read = take([&] { return in_->optional_bytes(key, name); });
        if (!read || !*read || !check_size(name, (*read)->size(), {N, N})) return;
        std::ranges::copy(**read, value.emplace().begin());
    }
    template <class SomeId>
    void id(int key, std::string_view name, SomeId& value, Presence presence = Presence::required) {
        if (presence == Presence::required) {
            if (const auto read = take([&] { return in_->bytes(key, name); })) assign_id(name, value, *read);
            return;
        }
        const auto read = take([&] { return in_->optional_bytes(key, name); });
        if (read && *read) assign_id(name, value, **read);
    }
    template <class T>
    void list(int key, std::string_view name, std::vector<T>& values, std::size_t max) {
        const auto count = take([&]() -> Result<std::uint64_t> {
            JZ_CHECK(in_->required(key, name));
            return in_->reader().array();
        });
        if (!count || !check_size(name, *count, {0, max})) return;
        for (std::uint64_t i = 0; i < *count; ++i) {
            // Grows as items really come: a count alone must not reserve memory.
            if (auto read = map(in_->reader(), values.emplace_back()); !read.ok()) {
                failed_ = std::move(read).error();
                return;
            }
        }
    }

  private:
    template <class Read>
    auto take(Read read) -> std::optional<typename decltype(read())::value_type> {
        if (failed_) return std::nullopt;
        auto result = read();
        if (result.ok()) return std::move(result).value();
        failed_ = std::move(result).error();
        return std::nullopt;
    }
    void fail(std::string_view name, std::string_view what) {
        failed_ =
            in_->reader().error(ErrorKind::malformed, std::string(name) + " " + std::string(what)).with_param(name);
    }
    bool check_size(std::string_view name, std::size_t size, Size allowed) {
        if (size >= allowed.min && size <= allowed.max) return true;
        fail(name, "has " + std::to_string(size) + " bytes or items, allowed are " + std::to_string(allowed.min) +
                       " to " + std::to_string(allowed.max));
        return false;
    }
    template <class T>
    void assign(std::string_view name, T& value, std::uint64_t number, Range<T> range) {
        if (number < range.min || number > range.max) return fail(name, "is out of range");
        value = static_cast<T>(number);
    }
    template <class SomeId>
    void assign_id(std::string_view name, SomeId& value, ByteView bytes) {
        if (!check_size(name, bytes.size(), {id_size, id_size})) return;
        value = SomeId(id_value(bytes));
        if (!value) fail(name, "is zero");
    }

    codec::CborMapReader* in_;
    std::optional<Error> failed_;
};

}  // namespace jiaozi::protocol
