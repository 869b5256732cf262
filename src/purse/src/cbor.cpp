#include <jiaozi/purse/cbor.hpp>

namespace jiaozi::purse {

std::uint64_t CborReader::head(unsigned major) noexcept {
    if (!ok_ || rest_.empty() || rest_[0] >> 5 != major) {
        ok_ = false;
        return 0;
    }
    const unsigned short_form = rest_[0] & 31U;
    rest_ = rest_.subspan(1);
    if (short_form < 24) return short_form;
    const std::size_t size = std::size_t{1} << (short_form - 24);
    if (short_form > 27 || rest_.size() < size) {
        ok_ = false;
        return 0;
    }
    std::uint64_t value = 0;
    for (const std::uint8_t byte : rest_.first(size)) value = value << 8 | byte;
    rest_ = rest_.subspan(size);
    // The shortest form: what fits one size down must be written there.
    const std::uint64_t lowest = size == 1 ? 24 : std::uint64_t{1} << (size * 4);
    if (value < lowest) ok_ = false;
    return ok_ ? value : 0;
}

std::uint64_t CborReader::uint(std::uint64_t highest) noexcept {
    const std::uint64_t value = uint();
    if (value > highest) ok_ = false;
    return ok_ ? value : 0;
}

View CborReader::string(unsigned major) noexcept {
    const std::uint64_t size = head(major);
    // A length that was only claimed costs nothing: it is held against what is there.
    if (!ok_ || size > rest_.size()) {
        ok_ = false;
        return {};
    }
    const View found = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(found.size());
    return found;
}

std::size_t CborReader::array(std::size_t highest) noexcept {
    const std::uint64_t count = head(4);
    if (count > highest) ok_ = false;
    return ok_ ? static_cast<std::size_t>(count) : 0;
}

void CborReader::array_of(std::size_t count) noexcept {
    if (head(4) != count) ok_ = false;
}

void CborReader::map_of(std::size_t count) noexcept {
    if (head(5) != count) ok_ = false;
}

void CborReader::literal(View expected) noexcept {
    if (!ok_ || rest_.size() < expected.size() || !equal(rest_.first(expected.size()), expected)) {
        ok_ = false;
        return;
    }
    rest_ = rest_.subspan(expected.size());
}

CborWriter& CborWriter::raw(View value) noexcept {
    if (!ok_ || value.size() > out_.size() - size_) {
        ok_ = false;
        return *this;
    }
    if (!value.empty()) std::memcpy(out_.data() + size_, value.data(), value.size());
    size_ += value.size();
    return *this;
}

CborWriter& CborWriter::head(unsigned major, std::uint64_t value) noexcept {
    std::array<std::uint8_t, 9> form{};
    const auto type = static_cast<std::uint8_t>(major << 5);
    if (value < 24) {
        form[0] = static_cast<std::uint8_t>(type | value);
        return raw(View(form).first(1));
    }
    const unsigned power = value <= 0xFF ? 0U : value <= 0xFFFF ? 1U : value <= 0xFFFFFFFF ? 2U : 3U;
    const std::size_t size = std::size_t{1} << power;
    form[0] = static_cast<std::uint8_t>(type | (24U + power));
    for (std::size_t i = 0; i < size; ++i) form[1 + i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
    return raw(View(form).first(1 + size));
}

}  // namespace jiaozi::purse
