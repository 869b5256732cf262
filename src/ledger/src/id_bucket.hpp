// Eight slots of an IdIndex in one cache line, looked at together. Without a branch for each: where a bucket ends is a
// coin toss, and a wrong guess costs more than all eight.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace jiaozi::ledger {

// A slot is an entry below, its print (a part of the id's hash) above; zero is an empty one. Filled from the front.
struct alignas(64) IdBucket {
    static constexpr std::size_t size = 8;
    static constexpr unsigned print_bits = 27;
    static constexpr unsigned print_shift = 64 - print_bits;

    std::array<std::uint64_t, size> slots;

    // A bit for each slot with that print. An empty one has the print zero.
    unsigned with_print(std::uint64_t print) const noexcept {
#if defined(__SSE2__)
        const __m128i wanted = _mm_set1_epi32(static_cast<int>(print));
        const auto same = [&](std::size_t first) {
            // The upper halves of four slots: their prints, and a few bits below.
            const __m128i four = _mm_castps_si128(
                _mm_shuffle_ps(_mm_castsi128_ps(pair(first)), _mm_castsi128_ps(pair(first + 2)), 0b11'01'11'01));
            return _mm_cmpeq_epi32(_mm_srli_epi32(four, print_shift - 32), wanted);
        };
        return bits(same(0), same(4));
#else
        unsigned found = 0;
        for (std::size_t i = 0; i < size; ++i) found |= static_cast<unsigned>(slots[i] >> print_shift == print) << i;
        return found;
#endif
    }

    std::size_t filled() const noexcept {
#if defined(__SSE2__)
        const auto zeros = [&](std::size_t first) {
            const __m128 a = _mm_castsi128_ps(pair(first));
            const __m128 b = _mm_castsi128_ps(pair(first + 2));
            const __m128i either = _mm_or_si128(_mm_castps_si128(_mm_shuffle_ps(a, b, 0b11'01'11'01)),
                                                _mm_castps_si128(_mm_shuffle_ps(a, b, 0b10'00'10'00)));
            return _mm_cmpeq_epi32(either, _mm_setzero_si128());
        };
        return static_cast<std::size_t>(std::countr_zero(bits(zeros(0), zeros(4)) | 1U << size));
#else
        std::size_t count = 0;
        for (const std::uint64_t slot : slots) count += slot != 0 ? 1 : 0;
        return count;
#endif
    }

  private:
#if defined(__SSE2__)
    __m128i pair(std::size_t first) const noexcept {
        return _mm_load_si128(reinterpret_cast<const __m128i*>(slots.data() + first));
    }
    // Of two times four words that are all ones or all zeros.
    static unsigned bits(__m128i low, __m128i high) noexcept {
        const __m128i words = _mm_packs_epi32(low, high);
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(words, _mm_setzero_si128())));
    }
#endif
};

}  // namespace jiaozi::ledger
