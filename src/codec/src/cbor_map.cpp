#include <string>

#include <jiaozi/codec/cbor.hpp>

namespace jiaozi::codec {
namespace {

// Canonical order of integer keys by their encoded bytes: 0, 1, 2 … before -1, -2 ….
bool precedes(std::int64_t left, std::int64_t right) noexcept {
    if ((left < 0) != (right < 0)) return right < 0;
    return left < 0 ? left > right : left < right;
}

}  // namespace

Result<CborMapReader> CborMapReader::open(CborReader& reader) {
    JZ_TRY(const std::uint64_t count, reader.map());
    return CborMapReader(reader, count);
}

Result<void> CborMapReader::load_key() {
    if (loaded_ || remaining_ == 0) return {};
    JZ_TRY(loaded_, reader_->integer());
    --remaining_;
    return {};
}

Result<bool> CborMapReader::optional(std::int64_t key) {
    JZ_ASSERT(!asked_ || precedes(*asked_, key));
    asked_ = key;
    JZ_CHECK(load_key());
    if (!loaded_) return false;
    if (precedes(*loaded_, key)) {
        return reader_->error(ErrorKind::malformed, "unknown key " + std::to_string(*loaded_) + " in a map");
    }
    if (*loaded_ != key) return false;
    loaded_.reset();
    return true;
}

Result<void> CborMapReader::required(std::int64_t key, std::string_view name) {
    JZ_TRY(const bool present, optional(key));
    if (present) return {};
    return reader_->error(ErrorKind::malformed, "missing field " + std::to_string(key) + " (" + std::string(name) + ")")
        .with_param(name);
}

template <class T>
Result<T> CborMapReader::field(std::int64_t key, std::string_view name, Result<T> (CborReader::*read)()) {
    JZ_CHECK(required(key, name));
    auto value = (reader_->*read)();
    if (!value.ok()) return std::move(value).error().in(name).with_param(name);
    return value;
}

template <class T>
Result<std::optional<T>> CborMapReader::optional_field(std::int64_t key, std::string_view name,
                                                       Result<T> (CborReader::*read)()) {
    JZ_TRY(const bool present, optional(key));
    if (!present) return std::optional<T>();
    auto value = (reader_->*read)();
    if (!value.ok()) return std::move(value).error().in(name).with_param(name);
    return std::optional<T>(*value);
}

Result<std::uint64_t> CborMapReader::uint(std::int64_t key, std::string_view name) {
    return field(key, name, &CborReader::uint);
}
Result<std::int64_t> CborMapReader::integer(std::int64_t key, std::string_view name) {
    return field(key, name, &CborReader::integer);
}
Result<ByteView> CborMapReader::bytes(std::int64_t key, std::string_view name) {
    return field(key, name, &CborReader::bytes);
}
Result<std::string_view> CborMapReader::text(std::int64_t key, std::string_view name) {
    return field(key, name, &CborReader::text);
}
Result<bool> CborMapReader::boolean(std::int64_t key, std::string_view name) {
    return field(key, name, &CborReader::boolean);
}

Result<std::optional<std::uint64_t>> CborMapReader::optional_uint(std::int64_t key, std::string_view name) {
    return optional_field(key, name, &CborReader::uint);
}
Result<std::optional<std::int64_t>> CborMapReader::optional_integer(std::int64_t key, std::string_view name) {
    return optional_field(key, name, &CborReader::integer);
}
Result<std::optional<ByteView>> CborMapReader::optional_bytes(std::int64_t key, std::string_view name) {
    return optional_field(key, name, &CborReader::bytes);
}
Result<std::optional<std::string_view>> CborMapReader::optional_text(std::int64_t key, std::string_view name) {
    return optional_field(key, name, &CborReader::text);
}
Result<std::optional<bool>> CborMapReader::optional_boolean(std::int64_t key, std::string_view name) {
    return optional_field(key, name, &CborReader::boolean);
}

Result<void> CborMapReader::finish() {
    JZ_CHECK(load_key());
    if (!loaded_) return {};
    return reader_->error(ErrorKind::malformed, "unknown key " + std::to_string(*loaded_) + " in a map");
}

}  // namespace jiaozi::codec
