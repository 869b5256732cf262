// What is refused before anything is done with it.
#pragma once

#include <jiaozi/base/result.hpp>
#include <jiaozi/engine/engine.hpp>

namespace jiaozi::engine {

// too_large, saying which limit.
Result<> check_limits(const Command& command);
// invalid, naming the option and its range.
Result<> check_options(const Options& options);

}  // namespace jiaozi::engine
