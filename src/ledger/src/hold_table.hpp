// The live holds, by the ordinal of their pending transfer. Ordinals lead to places in pages that exist only where a
// hold is live, and places to the holds: two steps, each of which can be asked for before it is needed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <jiaozi/base/assert.hpp>
#include <jiaozi/ledger/types.hpp>

#include "bring_in.hpp"
#include "chunked.hpp"

namespace jiaozi::ledger {

struct AccountRecord;

// A pending transfer that has not been resolved: as stored, and where its accounts are.
struct alignas(64) Hold {
    Transfer transfer;
    AccountRecord* debit = nullptr;
    AccountRecord* credit = nullptr;
};

class HoldTable {
  public:
    std::size_t size() const noexcept { return size_; }
    bool contains(std::uint64_t ordinal) const noexcept { return place_of(ordinal) != 0; }
    const Hold* find(std::uint64_t ordinal) const noexcept {
        const std::uint32_t place = place_of(ordinal);
        return place == 0 ? nullptr : &holds_[place - 1];
    }
    void prefetch_place(std::uint64_t ordinal) const noexcept {
        if (const Page* page = page_of(ordinal)) bring_in(&page->places[ordinal % page_ordinals]);
    }
    void prefetch(std::uint64_t ordinal) const noexcept {
        const auto* hold = reinterpret_cast<const std::byte*>(find(ordinal));
        if (hold == nullptr) return;
        for (std::size_t line = 0; line < sizeof(Hold); line += 64) bring_in(hold + line);
    }

    // There must be none with that ordinal.
    void add(std::uint64_t ordinal, const Hold& hold) {
        std::uint32_t place = 0;
        if (free_.empty()) {
            holds_.push_back(hold);
            place = static_cast<std::uint32_t>(holds_.size());
        } else {
            place = free_.back();
            free_.pop_back();
            holds_[place - 1] = hold;
        }
        Page& page = make_page(ordinal / page_ordinals);
        JZ_ASSERT(page.places[ordinal % page_ordinals] == 0);
        page.places[ordinal % page_ordinals] = place;
        ++page.live;
        ++size_;
    }
    // True if there was one.
    bool erase(std::uint64_t ordinal) {
        const std::uint32_t place = place_of(ordinal);
        if (place == 0) return false;
        std::unique_ptr<Page>& page = pages_[ordinal / page_ordinals];
        page->places[ordinal % page_ordinals] = 0;
        if (--page->live == 0) spare_ = std::move(page);
        free_.push_back(place);
        --size_;
        return true;
    }
    template <class Visit>  // (ordinal, hold), by ordinal
    void each(Visit visit) const {
        for (std::size_t p = 0; p < pages_.size(); ++p) {
            for (std::size_t i = 0; pages_[p] != nullptr && i < page_ordinals; ++i) {
                if (const std::uint32_t place = pages_[p]->places[i]) visit(p * page_ordinals + i, holds_[place - 1]);
            }
        }
    }

  private:
    static constexpr std::size_t page_ordinals = 1023;
    struct Page {
        std::array<std::uint32_t, page_ordinals> places{};  // above the hold's index; zero: none
        std::uint32_t live = 0;
    };
    static_assert(sizeof(Page) == 4096);

    const Page* page_of(std::uint64_t ordinal) const noexcept {
        const std::size_t page = ordinal / page_ordinals;
        return page < pages_.size() ? pages_[page].get() : nullptr;
    }
    std::uint32_t place_of(std::uint64_t ordinal) const noexcept {
        const Page* page = page_of(ordinal);
        return page == nullptr ? 0 : page->places[ordinal % page_ordinals];
    }
    Page& make_page(std::size_t page) {
        if (page >= pages_.size()) pages_.resize(page + 1);
        if (pages_[page] == nullptr) pages_[page] = spare_ != nullptr ? std::move(spare_) : std::make_unique<Page>();
        return *pages_[page];
    }

    std::vector<std::unique_ptr<Page>> pages_;
    std::unique_ptr<Page> spare_;  // all zeros: a lone hold after the other makes and frees no memory
    ChunkedArray<Hold, 1024> holds_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
};

}  // namespace jiaozi::ledger
