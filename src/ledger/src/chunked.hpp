// An array that grows in chunks, so that elements never move: pointers into it stay good and growing costs no copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <sys/mman.h>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {

template <class T, std::size_t chunk_size = 4096>
class ChunkedArray {
    static_assert((chunk_size & (chunk_size - 1)) == 0, "a power of two, so that indexing is a shift and a mask");

  public:
    std::size_t size() const noexcept { return size_; }
    T& operator[](std::size_t index) noexcept { return chunks_[index / chunk_size][index % chunk_size]; }
    const T& operator[](std::size_t index) const noexcept { return chunks_[index / chunk_size][index % chunk_size]; }
    T& back() noexcept { return (*this)[size_ - 1]; }

    T& push_back(const T& value) {
        if (size_ == chunks_.size() * chunk_size) add_chunk();
        T& place = (*this)[size_];
        place = value;
        ++size_;
        return place;
    }
    // Of an element of this array: its index.
    std::size_t index_of(const T* element) const noexcept {
        const auto after = std::ranges::upper_bound(places_, element, std::less(), &Place::begin);
        JZ_ASSERT(after != places_.begin());
        const Place& place = *std::prev(after);
        return place.chunk * chunk_size + static_cast<std::size_t>(element - place.begin);
    }
    void pop_back() noexcept {
        JZ_ASSERT(size_ > 0);
        --size_;  // the chunk stays for the next push
    }

  private:
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    static constexpr std::size_t chunk_bytes = chunk_size * sizeof(T);
    static constexpr std::size_t large_page = std::size_t{2} << 20;

    // Chunks of whole large pages ask for such: random access then misses the page tables far less often.
    static T* allocate() {
        constexpr bool large = chunk_bytes % large_page == 0;
        constexpr std::size_t alignment = large ? large_page : std::max(alignof(T), sizeof(void*));
        void* memory = std::aligned_alloc(alignment, (chunk_bytes + alignment - 1) / alignment * alignment);
        JZ_ASSERT(memory != nullptr);
        if constexpr (large) ::madvise(memory, chunk_bytes, MADV_HUGEPAGE);
        return static_cast<T*>(memory);
    }

    void add_chunk() {
        chunks_.emplace_back(allocate());
        const Place place{chunks_.back().get(), chunks_.size() - 1};
        places_.insert(std::ranges::upper_bound(places_, place.begin, std::less(), &Place::begin), place);
    }

    struct Place {
        const T* begin;
        std::size_t chunk;
    };
    struct Free {
        void operator()(T* memory) const noexcept { std::free(memory); }
    };
    std::vector<std::unique_ptr<T[], Free>> chunks_;
    std::vector<Place> places_;  // the chunks by address
    std::size_t size_ = 0;
};

}  // namespace jiaozi::ledger
