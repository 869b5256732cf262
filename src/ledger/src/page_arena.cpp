#include "page_arena.hpp"

#include <algorithm>

#include <sys/mman.h>

#include <jiaozi/base/assert.hpp>

namespace jiaozi::ledger {

PageArena::~PageArena() {
    for (const Region& region : regions_) ::munmap(region.start, region.bytes);
}

void* PageArena::allocate(std::size_t bytes) {
    JZ_ASSERT(bytes > 0 && bytes % page_bytes == 0);
    if (regions_.empty() || regions_.back().bytes - regions_.back().used < bytes) {
        const std::size_t size = std::max(region_bytes, bytes);
        void* memory =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        JZ_ASSERT(memory != MAP_FAILED);  // as operator new without memory: nothing sensible can go on
        // Regions fill from their start, so that large pages take no more than small ones; random access then misses
        // the page tables less often. Without them it is slower, and right.
        ::madvise(memory, size, MADV_HUGEPAGE);
        regions_.push_back({static_cast<std::byte*>(memory), size, 0});
    }
    Region& region = regions_.back();
    void* pages = region.start + region.used;
    region.used += bytes;
    return pages;
}

void PageArena::free(void* pages, std::size_t bytes) noexcept {
    ::madvise(pages, bytes, MADV_DONTNEED);
}

}  // namespace jiaozi::ledger
