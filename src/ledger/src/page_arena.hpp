// Memory in whole pages, given back to the system the moment it is freed. The general allocator keeps the holes that a
// growing table leaves behind, and those holes would be a large part of what the ledger takes.
#pragma once

#include <cstddef>
#include <vector>

namespace jiaozi::ledger {

class PageArena {
  public:
    static constexpr std::size_t page_bytes = 4096;

    PageArena() = default;
    ~PageArena();
    PageArena(const PageArena&) = delete;
    PageArena& operator=(const PageArena&) = delete;

    // Zeros. `bytes` is a multiple of page_bytes.
    void* allocate(std::size_t bytes);
    void free(void* pages, std::size_t bytes) noexcept;

  private:
    struct Region {
        std::byte* start = nullptr;
        std::size_t bytes = 0;
        std::size_t used = 0;
    };
    // Address space is never used twice: there is plenty, and a table that grows by half leaves behind three times its
    // size at most.
    static constexpr std::size_t region_bytes = std::size_t{64} << 20;
    std::vector<Region> regions_;
};

}  // namespace jiaozi::ledger
