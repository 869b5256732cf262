// An array that grows in chunks, so that elements never move: pointers into it stay good and growing costs no copy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
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
        if (size_ == chunks_.size() * chunk_size) chunks_.emplace_back(allocate());
        T& place = (*this)[size_];
        place = value;
        ++size_;
        return place;
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

    struct Free {
        void operator()(T* memory) const noexcept { std::free(memory); }
    };
    std::vector<std::unique_ptr<T[], Free>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace jiaozi::ledger
