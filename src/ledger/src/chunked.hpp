// An array that grows in chunks, so that elements never move: pointers into it stay good and growing costs no copy.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

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
        if (size_ == chunks_.size() * chunk_size) chunks_.push_back(std::make_unique_for_overwrite<T[]>(chunk_size));
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
    std::vector<std::unique_ptr<T[]>> chunks_;
    std::size_t size_ = 0;
};

}  // namespace jiaozi::ledger
