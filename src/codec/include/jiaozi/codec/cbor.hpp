// Deterministic CBOR: RFC 8949 with the core deterministic encoding of section 4.2.1, and nothing else. One value has
// one encoding, so bytes can be signed, hashed and compared. Grammar and field conventions: docs/formats/cbor.md.
//
//   CborWriter     appends items; aborts (a bug) when map keys are not ascending or a container is left unfilled.
//   CborReader     pull decoder over borrowed bytes: no allocation, constant memory, bounded bytes, depth and items.
//   CborMapReader  straight-line decoding of our messages: maps with small integer keys, unknown keys refused.
//
// Errors of the readers are ErrorKind::malformed (not our CBOR), invalid (an integer does not fit) and too_large (a
// limit), and name the byte offset. Views returned by a reader live as long as the input. Not thread-safe, nothing
// shared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::codec {

enum class CborType : std::uint8_t {
    uint,
    negint,
    bytes,
    text,
    array,
    map,
    tag,
    boolean,
    null,
    undefined,
    simple,
    floating
};

// "unsigned integer", "map", …; static storage.
std::string_view name_of(CborType type) noexcept;

inline constexpr std::size_t cbor_max_depth = 32;

struct CborLimits {
    std::size_t max_bytes = std::size_t{64} * 1024;  // of the whole input
    std::size_t max_depth = 16;                      // nested arrays, maps and tags; at most cbor_max_depth
    std::size_t max_items = 8192;                    // every item counts: keys, values, containers, tags
    bool allow_floats = false;                       // our messages have none
};

class CborWriter {
  public:
    CborWriter() = default;
    explicit CborWriter(std::size_t reserve_bytes) { out_.reserve(reserve_bytes); }

    CborWriter& uint(std::uint64_t value);
    CborWriter& integer(std::int64_t value);
    CborWriter& bytes(ByteView value);
    // Bytes that are not UTF-8 become U+FFFD, so that a stray byte in a name can neither stop the program nor produce a
    // message that our own reader refuses. Check with is_utf8() where the difference matters.
    CborWriter& text(std::string_view value);
    CborWriter& boolean(bool value);
    CborWriter& null();
    CborWriter& simple(std::uint8_t value);  // 0..19 or 32..255; the others have names of their own or are reserved
    CborWriter& floating(double value);      // shortest form; every NaN becomes f97e00
    // The next `count` items (map: 2 × count) belong to the container.
    CborWriter& array(std::uint64_t count);
    CborWriter& map(std::uint64_t count);
    CborWriter& tag(std::uint64_t number);
    // One already encoded item, trusted to be deterministic.
    CborWriter& encoded(ByteView item);

    // All containers must be full (JZ_ASSERT).
    ByteView view() const;
    Bytes take();

  private:
    struct Frame {
        std::uint64_t remaining = 0;
        bool is_map = false;
        std::size_t key_start = 0;
        std::size_t previous_start = 0;
        std::size_t previous_size = 0;
    };
    void head(std::uint8_t major, std::uint64_t argument);
    void begin_item();
    void end_item();
    void open(std::uint64_t items, bool is_map);

    Bytes out_;
    std::array<Frame, cbor_max_depth> frames_{};
    std::size_t depth_ = 0;
};

// A map whose keys are not known in order: collects the fields, sorts them by encoded key. Two equal keys abort (a
// bug).
class CborMapWriter {
  public:
    // The writer for the value; valid until the next call.
    CborWriter& field(std::int64_t key);
    CborWriter& field(std::string_view key);
    void write_to(CborWriter& out);

  private:
    std::vector<std::pair<Bytes, CborWriter>> fields_;
};

class CborReader {
  public:
    explicit CborReader(ByteView input, CborLimits limits = {}) noexcept;

    // What comes next; malformed at the end of input. Reads nothing.
    Result<CborType> peek() const;

    Result<std::uint64_t> uint();
    Result<std::int64_t> integer();  // negative or not; outside int64 is invalid
    Result<ByteView> bytes();
    Result<std::string_view> text();  // checked UTF-8
    Result<bool> boolean();
    Result<void> null();
    Result<double> floating();
    // The count of elements, or of key-value pairs. The container closes by itself after its last item.
    Result<std::uint64_t> array();
    Result<std::uint64_t> map();
    // An array that must have exactly this many elements.
    Result<void> array_of(std::uint64_t count);
    Result<std::uint64_t> tag();
    // One whole item, checked all the way down; raw() gives its bytes.
    Result<void> skip();
    Result<ByteView> raw();

    // Exactly one item was read to its end and nothing follows it.
    Result<void> finish() const;

    std::size_t offset() const noexcept { return position_; }
    // An error that names the current offset, for decoders built on this one.
    Error error(ErrorKind kind, std::string_view what) const;

  private:
    struct Head {
        std::uint8_t major = 0;
        std::uint8_t info = 0;
        std::uint64_t argument = 0;
    };
    struct Frame {
        std::uint64_t remaining = 0;
        bool is_map = false;
        std::size_t key_start = 0;
        std::size_t previous_start = 0;
        std::size_t previous_size = 0;
    };
    Error malformed(std::string_view what) const { return error(ErrorKind::malformed, what); }
    Result<Head> begin_item();
    Result<Head> begin_item(CborType wanted);
    Result<void> check_width(const Head& head, unsigned width) const;
    Result<void> check_simple_or_float(const Head& head) const;
    Result<void> end_item();
    Result<void> open(std::uint64_t items, bool is_map);
    Result<ByteView> string(const Head& head);
    Result<void> skip_one();

    ByteView input_;
    CborLimits limits_;
    std::size_t position_ = 0;
    std::size_t items_ = 0;
    std::size_t depth_ = 0;
    bool complete_ = false;
    std::array<Frame, cbor_max_depth> frames_{};
};

// Fields of an integer-keyed map, asked for in canonical order (0, 1, 2 … then -1, -2 …), which is the order they
// arrive in. A decoder is then a table:
//
//   JZ_TRY(auto map, CborMapReader::open(reader));
//   JZ_TRY(message.sequence, map.uint(1, "sequence"));
//   JZ_TRY(message.note, map.optional_text(2, "note"));
//   JZ_CHECK(map.finish());                              // refuses every key that was not asked for
//
// Asking out of order aborts (a bug). A missing field is malformed and carries the name as param.
class CborMapReader {
  public:
    static Result<CborMapReader> open(CborReader& reader);

    // Positions the reader on the value, for nested items: required() fails when the key is absent, optional() says no.
    Result<void> required(std::int64_t key, std::string_view name);
    Result<bool> optional(std::int64_t key);

    Result<std::uint64_t> uint(std::int64_t key, std::string_view name);
    Result<std::int64_t> integer(std::int64_t key, std::string_view name);
    Result<ByteView> bytes(std::int64_t key, std::string_view name);
    Result<std::string_view> text(std::int64_t key, std::string_view name);
    Result<bool> boolean(std::int64_t key, std::string_view name);

    Result<std::optional<std::uint64_t>> optional_uint(std::int64_t key, std::string_view name);
    Result<std::optional<std::int64_t>> optional_integer(std::int64_t key, std::string_view name);
    Result<std::optional<ByteView>> optional_bytes(std::int64_t key, std::string_view name);
    Result<std::optional<std::string_view>> optional_text(std::int64_t key, std::string_view name);
    Result<std::optional<bool>> optional_boolean(std::int64_t key, std::string_view name);

    // Nothing may be left.
    Result<void> finish();

    CborReader& reader() noexcept { return *reader_; }

  private:
    CborMapReader(CborReader& reader, std::uint64_t count) : reader_(&reader), remaining_(count) {}
    Result<void> load_key();
    template <class T>
    Result<T> field(std::int64_t key, std::string_view name, Result<T> (CborReader::*read)());
    template <class T>
    Result<std::optional<T>> optional_field(std::int64_t key, std::string_view name, Result<T> (CborReader::*read)());

    CborReader* reader_;
    std::uint64_t remaining_;             // pairs whose key has not been read
    std::optional<std::int64_t> loaded_;  // a key that was read and not yet asked for
    std::optional<std::int64_t> asked_;   // the last key asked for
};

}  // namespace jiaozi::codec
