// The ledger's state as bytes, in parts, for a snapshot: through these two the ledger writes and reads them and knows
// no file. Bytes and order as specified in docs/formats/snapshot.md, part 2; names are the page's names.
#pragma once

#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/base/result.hpp>

namespace jiaozi::ledger {

// Stable numbers.
enum class Part : std::uint32_t {
    totals = 1,
    accounts = 2,
    // 3 held histories in version 1
    refusals = 4,
    transfer_ids = 5,
    statuses = 6,
    holds = 7,
    moved = 8,
};

// Where a state is written to: each part once, in the order above.
class PartSink {
  public:
    virtual ~PartSink() = default;
    virtual Result<> begin(Part part) = 0;
    virtual Result<> write(ByteView bytes) = 0;
};

// Where a state is read from, in the same order.
class PartSource {
  public:
    virtual ~PartSource() = default;
    // The length of the part, in bytes. The source vouches for it: as many can be read.
    virtual Result<std::uint64_t> begin(Part part) = 0;
    // Fills `into`. Error corrupt past the end of the part.
    virtual Result<> read(ByteSpan into) = 0;
};

}  // namespace jiaozi::ledger
