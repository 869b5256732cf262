// How holds were resolved: two bits for each transfer event, in chunks that exist only where a hold was.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {

class StatusTable {
  public:
    // `none` for one that is live, or never was a hold.
    PendingStatus at(std::uint64_t ordinal) const noexcept {
        const std::size_t chunk = ordinal / chunk_ordinals;
        if (chunk >= chunks_.size() || chunks_[chunk] == nullptr) return PendingStatus::none;
        const std::uint64_t word = (*chunks_[chunk])[ordinal % chunk_ordinals / per_word];
        return decode(word >> shift_of(ordinal) & 3);
    }
    void set(std::uint64_t ordinal, PendingStatus status) {
        const std::size_t chunk = ordinal / chunk_ordinals;
        if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
        if (chunks_[chunk] == nullptr) chunks_[chunk] = std::make_unique<Chunk>();
        std::uint64_t& word = (*chunks_[chunk])[ordinal % chunk_ordinals / per_word];
        word = (word & ~(std::uint64_t{3} << shift_of(ordinal))) | encode(status) << shift_of(ordinal);
    }
    static constexpr std::size_t per_word = 32;
    static constexpr std::size_t chunk_words = 2048;
    using Chunk = std::array<std::uint64_t, chunk_words>;

    template <class Visit>  // (index of the chunk, chunk), chunks that exist; until it says false
    void each_chunk(Visit visit) const {
        for (std::size_t c = 0; c < chunks_.size(); ++c) {
            if (chunks_[c] != nullptr && !visit(c, *chunks_[c])) return;
        }
    }
    // One that does not exist yet, as zeros.
    Chunk& add_chunk(std::size_t index) {
        if (index >= chunks_.size()) chunks_.resize(index + 1);
        chunks_[index] = std::make_unique<Chunk>();
        return *chunks_[index];
    }

    template <class Visit>  // (index of the word, word), words that are not zero
    void each_word(Visit visit) const {
        for (std::size_t c = 0; c < chunks_.size(); ++c) {
            if (chunks_[c] == nullptr) continue;
            for (std::size_t i = 0; i < chunk_words; ++i) {
                if ((*chunks_[c])[i] != 0) visit(c * chunk_words + i, (*chunks_[c])[i]);
            }
        }
    }

  private:
    static constexpr std::size_t chunk_ordinals = per_word * chunk_words;

    static unsigned shift_of(std::uint64_t ordinal) noexcept { return static_cast<unsigned>(ordinal % per_word * 2); }
    static std::uint64_t encode(PendingStatus status) noexcept {
        return status <= PendingStatus::pending ? 0 : static_cast<std::uint64_t>(status) - 1;
    }
    static PendingStatus decode(std::uint64_t bits) noexcept {
        return bits == 0 ? PendingStatus::none : static_cast<PendingStatus>(bits + 1);
    }

    std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace jiaozi::ledger
