// Finds the byte: a hash says only that an entry is not what was written, but if one byte changed, the one change that
// makes the hash right again can be found by trying them all.
#pragma once

#include <cstdint>

#include <jiaozi/base/bytes.hpp>
#include <jiaozi/proof/replay.hpp>
#include <jiaozi/storage/segment.hpp>

namespace jiaozi::proof {

// `segment` is the whole file, `offset` where the first entry starts that does not check (0: the segment's header), and
// `chain` what must come there. Fills in offset, end, exact and should_be.
void locate(ByteView segment, std::uint64_t offset, const storage::Chain& chain, Damage& damage);

}  // namespace jiaozi::proof
