#include <algorithm>
#include <bit>
#include <cmath>

#include <jiaozi/codec/cbor.hpp>
#include <jiaozi/codec/utf8.hpp>

#include "cbor_float.hpp"

namespace jiaozi::codec {
namespace {

constexpr std::uint8_t major_simple = 7;

void put_big_endian(Bytes& out, std::uint64_t value, unsigned width) {
    for (unsigned shift = width * 8; shift > 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
}

}  // namespace

void CborWriter::head(std::uint8_t major, std::uint64_t argument) {
    const auto lead = static_cast<std::uint8_t>(major << 5);
    if (argument < 24) {
        out_.push_back(static_cast<std::uint8_t>(lead | argument));
        return;
    }
    const unsigned log_width = argument <= 0xFF ? 0 : argument <= 0xFFFF ? 1 : argument <= 0xFFFF'FFFF ? 2 : 3;
    out_.push_back(static_cast<std::uint8_t>(lead | (24 + log_width)));
    put_big_endian(out_, argument, 1U << log_width);
}

void CborWriter::begin_item() {
    if (depth_ == 0) {
        JZ_ASSERT(out_.empty());
        return;
    }
    Frame& frame = frames_[depth_ - 1];
    if (frame.is_map && frame.remaining % 2 == 0) frame.key_start = out_.size();
}

void CborWriter::end_item() {
    while (depth_ > 0) {
        Frame& frame = frames_[depth_ - 1];
        --frame.remaining;
        if (frame.is_map && frame.remaining % 2 == 1) {
            const ByteView all(out_);
            const ByteView key = all.subspan(frame.key_start);
            JZ_ASSERT(
                std::ranges::lexicographical_compare(all.subspan(frame.previous_start, frame.previous_size), key));
            frame.previous_start = frame.key_start;
            frame.previous_size = key.size();
        }
        if (frame.remaining > 0) return;
        --depth_;
    }
}

void CborWriter::open(std::uint64_t items, bool is_map) {
    if (items == 0) {
        end_item();
        return;
    }
    JZ_ASSERT(depth_ < frames_.size());
    frames_[depth_++] = Frame{.remaining = items, .is_map = is_map};
}

CborWriter& CborWriter::uint(std::uint64_t value) {
    begin_item();
    head(0, value);
    end_item();
    return *this;
}

CborWriter& CborWriter::integer(std::int64_t value) {
    if (value >= 0) return uint(static_cast<std::uint64_t>(value));
    begin_item();
    head(1, static_cast<std::uint64_t>(-1 - value));
    end_item();
    return *this;
}

CborWriter& CborWriter::bytes(ByteView value) {
    begin_item();
    head(2, value.size());
    append(out_, value);
    end_item();
    return *this;
}

CborWriter& CborWriter::text(std::string_view value) {
    if (!is_utf8(value)) return text(replace_invalid_utf8(value));
    begin_item();
    head(3, value.size());
    append(out_, as_bytes(value));
    end_item();
    return *this;
}

CborWriter& CborWriter::boolean(bool value) {
    begin_item();
    head(major_simple, value ? 21 : 20);
    end_item();
    return *this;
}

CborWriter& CborWriter::null() {
    begin_item();
    head(major_simple, 22);
    end_item();
    return *this;
}

CborWriter& CborWriter::simple(std::uint8_t value) {
    JZ_ASSERT(value < 20 || value == 23 || value >= 32);
    begin_item();
    head(major_simple, value);
    end_item();
    return *this;
}

CborWriter& CborWriter::floating(double value) {
    begin_item();
    if (std::isnan(value)) {
        out_.push_back(0xF9);
        put_big_endian(out_, 0x7E00, 2);
    } else if (const auto half = exact_half(value)) {
        out_.push_back(0xF9);
        put_big_endian(out_, *half, 2);
    } else if (const auto single = exact_single(value)) {
        out_.push_back(0xFA);
        put_big_endian(out_, std::bit_cast<std::uint32_t>(*single), 4);
    } else {
        out_.push_back(0xFB);
        put_big_endian(out_, std::bit_cast<std::uint64_t>(value), 8);
    }
    end_item();
    return *this;
}

CborWriter& CborWriter::array(std::uint64_t count) {
    begin_item();
    head(4, count);
    open(count, false);
    return *this;
}

CborWriter& CborWriter::map(std::uint64_t count) {
    JZ_ASSERT(count <= UINT64_MAX / 2);
    begin_item();
    head(5, count);
    open(count * 2, true);
    return *this;
}

CborWriter& CborWriter::tag(std::uint64_t number) {
    begin_item();
    head(6, number);
    open(1, false);
    return *this;
}

CborWriter& CborWriter::encoded(ByteView item) {
    JZ_ASSERT(!item.empty());
    begin_item();
    append(out_, item);
    end_item();
    return *this;
}

ByteView CborWriter::view() const {
    JZ_ASSERT(depth_ == 0 && !out_.empty());
    return out_;
}

Bytes CborWriter::take() {
    JZ_ASSERT(depth_ == 0 && !out_.empty());
    return std::exchange(out_, {});
}

CborWriter& CborMapWriter::field(std::int64_t key) {
    CborWriter encoded_key;
    encoded_key.integer(key);
    return fields_.emplace_back(encoded_key.take(), CborWriter()).second;
}

CborWriter& CborMapWriter::field(std::string_view key) {
    CborWriter encoded_key;
    encoded_key.text(key);
    return fields_.emplace_back(encoded_key.take(), CborWriter()).second;
}

void CborMapWriter::write_to(CborWriter& out) {
    std::ranges::sort(fields_, {}, [](const auto& field) -> const Bytes& { return field.first; });
    out.map(fields_.size());
    for (const auto& [key, value] : fields_) out.encoded(key).encoded(value.view());
    fields_.clear();
}

}  // namespace jiaozi::codec
