// Where the ledger finds transfer events it was given earlier. It keeps 8-byte traces of them, not the events: those
// are in the journal, and are needed again only for a duplicate, a lookup, or a hold that was resolved before.
#pragma once

#include <cstdint>

#include <jiaozi/ledger/types.hpp>

namespace jiaozi::ledger {

class EventSource {
  public:
    virtual ~EventSource() = default;
    // The transfer event with this ordinal (they are counted from 0 over all batches, refused ones included), exactly
    // as it was given to create_transfers, but with the timestamp it got. False if it cannot be read. Called with
    // ordinals of earlier batches only. From many threads, if the ledger's lookups are.
    virtual bool read(std::uint64_t ordinal, Transfer& event) const = 0;
};

}  // namespace jiaozi::ledger
