// Reads a stretch of the journal through a feed, while the calling thread waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/engine.hpp>

namespace jiaozi::settlement {

// Gives `take` the commands after `after` up to `last`, on the feed's thread. Its first Error ends it, as does
// `cancelled` (unavailable). corrupt, not_found, io: the journal cannot be read.
Result<> read_commands(engine::Engine& engine, std::uint64_t after, std::uint64_t last,
                       const std::function<Result<>(const engine::Committed&)>& take,
                       const std::atomic<bool>& cancelled);

}  // namespace jiaozi::settlement
