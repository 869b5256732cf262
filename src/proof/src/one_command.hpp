// Reads one committed command back through the engine's feed.
#pragma once

#include <cstdint>

#include <jiaozi/base/clock.hpp>
#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/engine.hpp>

namespace jiaozi::proof {

// The command must be committed. Errors: timeout; corrupt when the journal can't be read.
Result<engine::Committed> one_command(engine::Engine& engine, std::uint64_t sequence, Duration patience);

}  // namespace jiaozi::proof
