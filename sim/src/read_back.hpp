// The journal, read back through a feed.
#pragma once

#include <cstdint>
#include <vector>

#include <jiaozi/engine/engine.hpp>

namespace jiaozi::sim {

// All that is committed after a sequence. Waits for it. Errors: timeout; the feed's.
Result<std::vector<engine::Committed>> read_back(engine::Engine& engine, std::uint64_t after);

}  // namespace jiaozi::sim
