#include <bit>

#include <jiaozi/purse/blacklist.hpp>

namespace jiaozi::purse {

unsigned rice_parameter(std::uint32_t enrolled, std::uint32_t revoked) noexcept {
    if (revoked == 0) return 0;
    const auto width = static_cast<unsigned>(std::bit_width(enrolled / revoked));
    return width == 0 ? 0 : width - 1;
}

std::uint8_t ListSource::at(std::size_t index) noexcept {
    if (platform_ == nullptr) return memory_[index];
    if (index < window_start_ || index - window_start_ >= window_.size()) {
        window_start_ = index - index % window_.size();
        const std::size_t left = size_ - window_start_;
        const std::size_t size = left < window_.size() ? left : window_.size();
        if (platform_->load(platform_->context, JZ_AREA_LIST, slot_, window_start_, window_.data(), size) !=
            JZ_READ_OK) {
            failed_ = true;
        }
    }
    return window_[index - window_start_];
}

ListReader::ListReader(ListSource& source, std::uint32_t enrolled, std::uint32_t revoked) noexcept
    : source_(source), enrolled_(enrolled), left_(revoked), k_(rice_parameter(enrolled, revoked)) {}

bool ListReader::bit(bool& value) noexcept {
    if (position_ / 8 >= source_.size()) return false;
    value = (source_.at(position_ / 8) >> (7 - position_ % 8) & 1) != 0;
    ++position_;
    return !source_.failed();
}

bool ListReader::finish() noexcept {
    finished_ = true;
    // What is left is the padding of the last byte, and nothing else.
    if (source_.size() != (position_ + 7) / 8) wrong_ = true;
    while (!wrong_ && position_ % 8 != 0) {
        bool value = false;
        if (!bit(value) || value) wrong_ = true;
    }
    return false;
}

bool ListReader::next(std::uint32_t& ordinal) noexcept {
    if (finished_) return false;
    if (left_ == 0) return finish();
    std::uint64_t gap = 0;
    bool whole = true;
    for (bool more = true; whole && more;) {
        whole = bit(more);
        // Bounded by what is enrolled: a run of ones ends here, not at the end of the body.
        if (whole && more && ++gap << k_ > enrolled_) whole = false;
    }
    for (unsigned i = 0; i < k_ && whole; ++i) {
        bool value = false;
        whole = bit(value);
        gap = gap << 1 | (value ? 1U : 0U);
    }
    last_ += gap + 1;
    if (!whole || last_ > enrolled_) {
        finished_ = wrong_ = true;
        return false;
    }
    --left_;
    ordinal = static_cast<std::uint32_t>(last_);
    return true;
}

ListWriter::ListWriter(Span out, std::uint32_t enrolled, std::uint32_t revoked) noexcept
    : out_(out), enrolled_(enrolled), left_(revoked), k_(rice_parameter(enrolled, revoked)) {}

void ListWriter::bit(bool value) noexcept {
    if (bits_ / 8 >= out_.size()) {
        ok_ = false;
        return;
    }
    if (bits_ % 8 == 0) out_[bits_ / 8] = 0;
    if (value) out_[bits_ / 8] = static_cast<std::uint8_t>(out_[bits_ / 8] | 0x80U >> bits_ % 8);
    ++bits_;
}

bool ListWriter::add(std::uint32_t ordinal) noexcept {
    if (left_ == 0 || ordinal <= last_ || ordinal > enrolled_) ok_ = false;
    if (!ok_) return false;
    const std::uint32_t gap = ordinal - last_ - 1;
    for (std::uint32_t i = 0; i < gap >> k_ && ok_; ++i) bit(true);
    bit(false);
    for (unsigned i = k_; i > 0; --i) bit((gap >> (i - 1) & 1) != 0);
    last_ = ordinal;
    --left_;
    return ok_;
}

View ListWriter::finish() noexcept {
    return complete() ? View(out_).first((bits_ + 7) / 8) : View{};
}

}  // namespace jiaozi::purse
